import numpy as np
import pytest

from keras_transformer.ops import dense_attention

_random = np.random.default_rng(4)
QUERY, KEY = (_random.normal(size=(2, 3, length, 5)).astype("float32") for length in (1, 7))
VALUE = _random.normal(size=(2, 3, 7, 4)).astype("float32")
MASK = _random.random((2, 1, 1, 7)) < 0.6
BIAS = _random.normal(size=(1, 3, 1, 7)).astype("float32")


def softmax(scores):
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def test_scaled_divides_by_the_root_of_the_width():
    np.testing.assert_allclose(dense_attention.scaled(QUERY), QUERY / np.sqrt(5), rtol=1e-6)


@pytest.mark.parametrize("mask, bias", [(None, None), (MASK, None), (None, BIAS), (MASK, BIAS)])
def test_both_ways_equal_the_formula(mask, bias):
    scores = QUERY @ KEY.swapaxes(-1, -2) + (0 if bias is None else bias)
    wanted = softmax(scores if mask is None else np.where(mask, scores, -1e30))
    np.testing.assert_allclose(dense_attention.softmax_weights(QUERY, KEY, mask, bias), wanted, atol=1e-6)
    for context in (dense_attention.context, dense_attention.context_by_sums):
        np.testing.assert_allclose(context(QUERY, KEY, VALUE, mask, bias), wanted @ VALUE, atol=1e-6)


def test_a_single_key_has_all_the_weight():
    np.testing.assert_array_equal(dense_attention.softmax_weights(QUERY, KEY[:, :, :1]), np.ones((2, 3, 1, 1)))


def test_scores_beyond_the_range_of_float16():
    query, key = (np.full((1, 1, length, 4), 300.0, "float16") for length in (1, 2))
    np.testing.assert_array_equal(dense_attention.softmax_weights(query, key), [[[[0.5, 0.5]]]])
