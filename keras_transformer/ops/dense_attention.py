"""Attention that keeps all T x S scores, with heads in front: softmax weights, and the values that they weigh."""

import keras
from keras import ops

from keras_transformer.types import Tensor

# Finite, so that a row of nothing but masked scores stays a number; below any real score.
_MASKED_SCORE = -1e30
# Up to so many numbers in the keys, TensorFlow's matrix products take longer to start than elementwise sums take in
# all: on CPU 100 microseconds for 10, with 16 keys of 8 heads of 64.
_MOST_SUMMED = 2**16


def scaled(query: Tensor) -> Tensor:
    """`query` divided by sqrt(d): before the product, whose numbers are more."""
    return query * ops.cast(query.shape[-1] ** -0.5, query.dtype)


def softmax_weights(query: Tensor, key: Tensor, mask: Tensor = None, bias: Tensor = None) -> Tensor:
    """softmax(Q K^T) of scaled queries; the weights of a query without keys are unspecified and must be masked.

    Args:
        query: (B, H, T, d), scaled.
        key: (B, H, S, d).
        mask: boolean with four axes, broadcastable to (B, H, T, S), or `None`.
        bias: added to the scores, or `None`.

    Returns:
        (B, H, T, S), float32.
    """
    if keras.backend.standardize_dtype(query.dtype) == "float16":
        # Its range ends at 65,504; that of bfloat16 is float32's.
        query, key = ops.cast(query, "float32"), ops.cast(key, "float32")
    scores = _masked(ops.cast(ops.matmul(query, ops.swapaxes(key, -1, -2)), "float32"), mask, bias)
    # Keras warns of a single entry, which here is the first step of decoding or a sentence of one token.
    return ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)


def weighted_values(weights: Tensor, value: Tensor) -> Tensor:
    """(B, H, T, S) x (B, H, S, dv) -> (B, H, T, dv), in the dtype of `value`."""
    return ops.matmul(ops.cast(weights, value.dtype), value)


def context(query: Tensor, key: Tensor, value: Tensor, mask: Tensor = None, bias: Tensor = None) -> Tensor:
    """`weighted_values` of `softmax_weights`, by the faster of two ways."""

    def by_products():
        return weighted_values(softmax_weights(query, key, mask, bias), value)

    is_one = query.shape[2] == 1 and None not in (key.shape[1], key.shape[3])
    if not is_one or keras.config.backend() != "tensorflow" or isinstance(query, keras.KerasTensor):
        return by_products()
    # As when one sentence is decoded.
    are_few = ops.shape(key)[0] * ops.shape(key)[2] <= _MOST_SUMMED // (key.shape[1] * key.shape[3])
    return ops.cond(are_few, lambda: context_by_sums(query, key, value, mask, bias), by_products)


def context_by_sums(query: Tensor, key: Tensor, value: Tensor, mask: Tensor = None, bias: Tensor = None) -> Tensor:
    """As `context`, for a single query (B, H, 1, d), by elementwise operations."""
    query, key = ops.cast(query, "float32"), ops.cast(key, "float32")
    scores = _masked(ops.sum(query * key, axis=-1)[:, :, None, :], mask, bias)
    exponentials = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True, initial=-float("inf")))
    weights = exponentials / ops.sum(exponentials, axis=-1, keepdims=True)
    summed = ops.sum(weights[:, :, 0, :, None] * ops.cast(value, "float32"), axis=2, keepdims=True)
    return ops.cast(summed, value.dtype)


def _masked(scores, mask, bias):
    if bias is not None:
        # A bias of -inf masks too; softmax needs finite rows.
        scores = ops.maximum(scores + ops.cast(bias, "float32"), _MASKED_SCORE)
    if mask is not None:
        # Chosen, not added: NaN and infinity stay what they are in a sum.
        scores = ops.where(mask, scores, _MASKED_SCORE)
    return scores
