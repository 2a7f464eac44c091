import numpy as np
import pytest

from keras_transformer.training import MarginMSE, ScoreDistribution
from tests.training.objective_values import check, vectors

SCORES = np.random.RandomState(3).normal(size=(5, 3))


def scores_of(query, *candidates):
    return 1.5 * np.stack([(query * candidate).sum(axis=1) for candidate in candidates], axis=1)


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)


def test_margins():
    def formula(*texts):
        found = scores_of(*texts)
        return np.mean((found[:, :1] - found[:, 1:] - (SCORES[:, :1] - SCORES[:, 1:])) ** 2)

    check(MarginMSE(scale=1.5), formula, vectors(4), SCORES)


def test_distributions():
    def formula(*texts):
        found, wanted = softmax(scores_of(*texts) / 2), softmax(SCORES / 2)
        return 4 * np.mean(np.sum(wanted * np.log(wanted / found), axis=1))

    check(ScoreDistribution(scale=1.5, temperature=2.0), formula, vectors(4), SCORES)


@pytest.mark.parametrize("objective", [MarginMSE, ScoreDistribution])
def test_bad_values(objective):
    with pytest.raises(ValueError, match="scale=0"):
        objective(scale=0)
    with pytest.raises(ValueError, match=r"3 candidates and scores of shape \(5, 2\)"):
        objective()(vectors(4), SCORES[:, :2])
    with pytest.raises(ValueError, match="1 candidates and scores"):
        objective()(vectors(2), SCORES[:, :1])


def test_bad_temperature():
    with pytest.raises(ValueError, match="temperature=0"):
        ScoreDistribution(temperature=0)
