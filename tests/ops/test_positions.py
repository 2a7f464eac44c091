import numpy as np
import pytest

from keras_transformer.ops.positions import resolve, sinusoids
from tests import reference

X = np.zeros((2, 3, 4), "float32")


def test_by_default_they_count_from_zero():
    np.testing.assert_array_equal(resolve(None, X), [0, 1, 2])


@pytest.mark.parametrize("positions", [[5, 6, 9], [[5, 6, 7], [0, 0, 1]]])
def test_given_ones_are_taken(positions):
    np.testing.assert_array_equal(resolve(np.array(positions), X), positions)


@pytest.mark.parametrize("positions", [np.arange(4), np.zeros((1, 3), int), np.zeros(3)])
def test_others_are_refused(positions):
    with pytest.raises(ValueError, match=r"integer positions of shape \(3,\) or \(2, 3\)"):
        resolve(positions, X)


@pytest.mark.parametrize("layout", ["interleaved", "halves"])
def test_sinusoids_equal_the_paper_far_out(layout):
    wanted = reference.positional_encoding([3, 100_000], 6)
    if layout == "halves":
        wanted = np.concatenate([wanted[:, ::2], wanted[:, 1::2]], axis=1)
    np.testing.assert_allclose(sinusoids(np.array([3, 100_000]), 6, layout=layout), wanted, atol=1e-5)
