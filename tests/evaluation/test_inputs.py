import numpy as np
import pytest

from keras_transformer.evaluation.inputs import as_vectors, check_counts


def test_texts_are_embedded_in_one_call():
    calls = []

    def embed(texts):
        calls.append(texts)
        return [[len(text), 1.0] for text in texts]

    first, second = as_vectors(embed, ["a", "bb"], ["ccc"])
    assert calls == [["a", "bb", "ccc"]] and first.dtype == "float32"
    np.testing.assert_array_equal(first, [[1, 1], [2, 1]])
    np.testing.assert_array_equal(second, [[3, 1]])


@pytest.mark.parametrize(
    "lists, message",
    [
        ([[1.0, 2.0]], r"Expected vectors \(N, D\) of the same width. Received: shapes \[\(2,\)\]"),
        ([np.ones((2, 3)), np.ones((2, 4))], r"same width. Received: shapes \[\(2, 3\), \(2, 4\)\]"),
        ([[[1.0, np.nan]]], "Expected finite vectors. Received: NaN or infinity"),
        ([[[1.0, np.inf]]], "Expected finite vectors. Received: NaN or infinity"),
    ],
)
def test_bad_vectors(lists, message):
    with pytest.raises(ValueError, match=message):
        as_vectors(None, *lists)


def test_a_vector_for_each_text():
    with pytest.raises(ValueError, match="Expected a vector for each of 3 texts. Received: 2"):
        as_vectors(lambda texts: np.ones((2, 4)), ["a"], ["b", "c"])


@pytest.mark.parametrize("lists", [{"texts": ["a"], "labels": [1, 2]}, {"texts": [], "labels": []}])
def test_bad_counts(lists):
    counts = ", ".join(f"{name}={len(values)}" for name, values in lists.items())
    with pytest.raises(ValueError, match=f"Expected equally many of each, at least one. Received: {counts}"):
        check_counts(**lists)


def test_equal_counts():
    check_counts(texts=["a", "b"], labels=np.zeros((2, 3)))
