import numpy as np
import pytest

from keras_transformer.search import nearest_vectors
from keras_transformer.search.nearest import Best
from tests.search.made_vectors import cosines, vectors


def brute_force(scores, top_k, mask=None):
    """The places of the best scores of each row; of equal ones the first."""
    allowed = np.arange(scores.shape[1]) if mask is None else np.flatnonzero(mask)
    order = np.argsort(-scores[:, allowed], axis=1, kind="stable")[:, :top_k]
    return allowed[order]


@pytest.mark.parametrize("masked", [False, True])
def test_brute_force(masked, monkeypatch):
    monkeypatch.setattr("keras_transformer.search.nearest.ROWS_AT_ONCE", 50)
    monkeypatch.setattr("keras_transformer.search.nearest.QUERIES_AT_ONCE", 7)
    queries, corpus = vectors(23, seed=1), vectors(331)
    mask = np.random.default_rng(3).random(331) < 0.3 if masked else None
    scores = cosines(queries, corpus).round(6)
    found = nearest_vectors(queries, corpus, 12, mask)
    assert (found.ids.dtype, found.scores.dtype) == ("int64", "float32")
    expected = brute_force(scores, 12, mask)
    np.testing.assert_allclose(found.scores, np.take_along_axis(scores, expected, 1), atol=1e-6)
    np.testing.assert_allclose(found.scores, np.take_along_axis(scores, found.ids, 1), atol=1e-6)
    assert not masked or mask[found.ids].all()
    assert all(len(set(row)) == 12 for row in found.ids)


def test_fewer_vectors_than_wanted():
    assert nearest_vectors(vectors(3), vectors(5), 9).ids.shape == (3, 5)
    assert nearest_vectors(vectors(3), vectors(5), 9, [False, True, False, True, False]).ids.shape == (3, 2)
    assert nearest_vectors(vectors(3), np.zeros((0, 8)), 9).scores.shape == (3, 0)
    assert len(nearest_vectors(np.zeros((0, 8)), vectors(5)).ids) == 0


@pytest.mark.parametrize("size", [3, 7, 40, 1000])
def test_the_best_of_all_with_ties(size):
    scores = np.random.default_rng(size).integers(0, 9, (5, 1000)).astype("float32")
    best = Best(5, 30)
    for start in range(0, 1000, size):
        best.update(np.arange(1000)[start : start + size], scores[:, start : start + size])
    np.testing.assert_array_equal(best.result().ids, brute_force(scores, 30))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"top_k": 0}, "Expected a positive integer. Received: top_k=0"),
        ({"queries": vectors(2, width=7)}, r"Expected vectors \(2, 8\)\. Received: shape \(2, 7\)"),
        ({"mask": [True]}, r"Expected a boolean mask \(4,\)\. Received: bool \(1,\)"),
        ({"mask": [0, 1, 2, 3]}, r"Expected a boolean mask \(4,\)\. Received: int64 \(4,\)"),
    ],
)
def test_bad_input(change, message):
    with pytest.raises(ValueError, match=message):
        nearest_vectors(**{"queries": vectors(2), "vectors": vectors(4), **change})
