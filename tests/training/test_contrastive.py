import numpy as np
import pytest

from keras_transformer.training import ContrastivePairs, OnlineContrastivePairs
from tests.training.objective_values import check, unit, value, vectors

LABELS = np.asarray([1, 0, 1, 0, 0, 1, 0])


def distances(u, v):
    return 1 - (unit(u) * unit(v)).sum(axis=1)


def test_all_pairs():
    def formula(u, v):
        d = distances(u, v)
        return np.mean(np.where(LABELS == 1, d**2, np.maximum(0, 0.9 - d) ** 2)) / 2

    check(ContrastivePairs(margin=0.9), formula, vectors(2, rows=7, seed=1), LABELS)


def test_hard_pairs():
    def formula(u, v):
        d = distances(u, v)
        right, wrong = d[LABELS == 1], d[LABELS == 0]
        assert 0 < (right > wrong.min()).sum() < len(right) and (wrong < right.max()).any()
        hard = np.maximum(0, 0.9 - wrong[wrong < right.max()]) ** 2
        return np.sum(right[right > wrong.min()] ** 2) + np.sum(hard)

    check(OnlineContrastivePairs(margin=0.9), formula, vectors(2, rows=7, seed=1), LABELS)


def test_pairs_of_one_kind_are_compared_with_their_mean():
    u, v = vectors(2, rows=7)
    d = distances(u, v)
    found = value(OnlineContrastivePairs()([u, v], np.ones(7)))
    np.testing.assert_allclose(found, np.sum(d[d > d.mean()] ** 2), rtol=1e-5)
    found = value(OnlineContrastivePairs(margin=2.0)([u, v], np.zeros(7)))
    np.testing.assert_allclose(found, np.sum((2 - d[d < d.mean()]) ** 2), rtol=1e-5)


def test_bad_values():
    with pytest.raises(ValueError, match="margin=0"):
        ContrastivePairs(margin=0)
