import math

import numpy as np
import pytest

from keras_transformer.pipelines import similarity, truncated

A = np.array([[1, 0], [0, 2], [0, 0]], "float32")
B = np.array([[3, 0], [1, 1], [-1, 0], [0, 0]], "float32")


def test_by_hand():
    half = math.sqrt(0.5)
    cosines = [[1, half, -1, 0], [0, half, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(similarity(A, B, "cosine"), cosines, atol=1e-12)
    angular = [[1, 0.75, 0, 0.5], [0.5, 0.75, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5]]
    np.testing.assert_allclose(similarity(A, B), angular, atol=1e-12)
    assert similarity(A, B).dtype == "float64"


@pytest.mark.parametrize("kind", ["angular", "cosine"])
def test_pairs_are_the_diagonal(kind):
    a, b = np.random.default_rng(0).normal(size=(2, 7, 5)).astype("float32")
    np.testing.assert_allclose(similarity(a, b, kind, paired=True), np.diag(similarity(a, b, kind)), atol=1e-12)
    assert similarity(a[:0], b, kind).shape == (0, 7) and similarity(a[:0], b[:0], kind, paired=True).shape == (0,)


def test_cosines_of_pairs_by_hand():
    first = [[1, 0], [3, 4], [1, 1], [0, 0], [1e-3, 0]]
    second = [[5, 0], [4, 3], [-2, -2], [1, 0], [0, 1e3]]
    np.testing.assert_allclose(similarity(first, second, "cosine", paired=True), [1, 24 / 25, -1, 0, 0], atol=1e-12)


def test_pairs_of_equal_vectors_are_ties():
    vectors = np.random.default_rng(0).normal(size=(500, 33)).astype("float32")
    assert set(similarity(vectors, vectors, "cosine", paired=True)) == {1.0}


def test_angles_of_pairs_by_hand():
    directions = [[1, 0], [0.5, 0.75**0.5], [0, 1], [-1, 0]]
    found = similarity([[1, 0]] * 4, directions, paired=True)
    np.testing.assert_allclose(found, [1, 2 / 3, 1 / 2, 0], atol=1e-12)


def test_equal_directions_have_exactly_1():
    """In float32 the arccos of a cosine that misses 1 by a rounding is off by 1e-4."""
    vectors = np.random.default_rng(1).normal(size=(50, 511)).astype("float32")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for factor in (1.0, 3.0, 1e-30):
        assert (similarity(vectors, vectors * np.float32(factor), paired=True) > 1 - 1e-6).all()
        assert (np.diag(similarity(vectors, vectors)) == 1).all()
    np.testing.assert_array_equal(similarity(vectors, -vectors, paired=True), 0)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((A, B, "euclidean"), "one of ['angular', 'cosine']. Received: kind='euclidean'"),
        ((A, B, "cosine", True), "Expected arrays (N, D) and (N, D). Received: shapes (3, 2) and (4, 2)"),
        ((A, A.T), "Received: shapes (3, 2) and (2, 3)"),
        ((A[0], A), "Received: shapes (2,) and (3, 2)"),
        ((A, B * np.nan), "Expected finite vectors"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError) as error:
        similarity(*arguments)
    assert message in str(error.value)


def test_first_numbers_of_vectors():
    vectors = np.array([[3, 4, 12], [0, 0, 5], [-2, 0, 1]], "float32")
    found = truncated(vectors, 2)
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, 0], [-1, 0]], atol=1e-7)
    assert found.dtype == "float32"
    np.testing.assert_allclose(truncated(vectors, 3) * [[13], [5], [5**0.5]], vectors, rtol=1e-6)


@pytest.mark.parametrize(
    "vectors, width, message",
    [
        (np.ones((2, 3)), 4, r"D at least 4. Received: shape \(2, 3\)"),
        (np.ones(3), 2, "shape"),
        (np.ones((2, 3)), 0, "=0"),
    ],
)
def test_first_numbers_that_are_not_there(vectors, width, message):
    with pytest.raises(ValueError, match=message):
        truncated(vectors, width)
