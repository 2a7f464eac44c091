import numpy as np
import pytest
import scipy.stats

from keras_transformer.evaluation.vectors import as_vectors, interval


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
        ([[1.0, 2.0]], r"shapes \[\(2,\)\]"),
        ([np.ones((2, 3)), np.ones((2, 4))], r"same width. Received: shapes \[\(2, 3\), \(2, 4\)\]"),
        ([[[1.0, np.nan]]], "finite"),
        ([[[1.0, np.inf]]], "finite"),
    ],
)
def test_bad_vectors(lists, message):
    with pytest.raises(ValueError, match=message):
        as_vectors(None, *lists)


def test_a_vector_for_each_text():
    with pytest.raises(ValueError, match="for each of 3 texts. Received: 2"):
        as_vectors(lambda texts: np.ones((2, 4)), ["a"], ["b", "c"])


def test_the_interval_is_that_of_scipy():
    """Up to the noise of 4,000 resamples."""
    values = np.random.default_rng(1).exponential(size=200)
    theirs = scipy.stats.bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=2)
    ours = interval(lambda drawn: values[drawn].mean(), len(values), 4000)
    np.testing.assert_allclose(ours, theirs.confidence_interval, atol=0.02)
    assert ours == interval(lambda drawn: values[drawn].mean(), len(values), 4000)


def test_undefined_resamples_are_left_out():
    low, high = interval(lambda drawn: np.nan if drawn[0] else 2.0, 2, 50)
    assert (low, high) == (2, 2)
    assert np.isnan(interval(lambda drawn: np.nan, 2, 50)).all()
