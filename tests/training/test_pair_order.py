import numpy as np
import pytest

from keras_transformer.training import AnglE, CoSENT
from tests.training.objective_values import check, unit, value, vectors

SCORES = np.asarray([0.1, 0.9, 0.4, 0.4, 0.7])


def order_loss(alike):
    pairs = [np.exp(alike[i] - alike[j]) for i in range(5) for j in range(5) if SCORES[i] < SCORES[j]]
    return np.log(1 + np.sum(pairs))


def test_cosines_in_the_order_of_scores():
    check(
        CoSENT(scale=7.0),
        lambda u, v: order_loss(7 * (unit(u) * unit(v)).sum(axis=1)),
        vectors(2),
        SCORES,
    )


@pytest.mark.parametrize("width", [6, 5])
def test_angles_in_the_order_of_scores(width):
    def formula(u, v):
        u, v = np.pad(unit(u), [(0, 0), (0, width % 2)]), np.pad(unit(v), [(0, 0), (0, width % 2)])
        quotients = (u[:, :3] + 1j * u[:, 3:]) * (v[:, :3] - 1j * v[:, 3:])
        return order_loss(7 * np.abs(quotients.real.sum(axis=1) + quotients.imag.sum(axis=1)))

    check(AnglE(scale=7.0), formula, vectors(2, width=width), SCORES)


def test_nothing_to_learn_where_all_scores_are_equal():
    assert value(CoSENT()(vectors(2), np.ones(5))) == 0.0


def test_bad_values():
    with pytest.raises(ValueError, match="scale=0"):
        CoSENT(scale=0)
