"""The two halves of attention, with heads in front: the softmax weights, and the values that they weigh."""

import keras
from keras import ops

from keras_transformer.layers import masks

# Finite, so that a row of nothing but masked scores stays a number; below any real score.
_MASKED_SCORE = -1e30


def attention_weights(query, key, mask=None, bias=None):
    """softmax(Q K^T / sqrt(d)) with masked entries, and whole rows of them, exactly zero.

    Args:
        query: (B, H, T, d).
        key: (B, H, S, d).
        mask: boolean with four axes, broadcastable to (B, H, T, S), or `None`.
        bias: added to the scores, or `None`.

    Returns:
        (B, H, T, S), float32.
    """
    return masks.zero_without_keys(softmax_weights(scaled(query), key, mask, bias), mask)


def scaled(query):
    """Divided by sqrt(d): before the product, whose numbers are more."""
    return query * ops.cast(query.shape[-1] ** -0.5, query.dtype)


def softmax_weights(query, key, mask=None, bias=None):
    """As `attention_weights`, of scaled queries; a query without keys gets some weights or other."""
    if keras.backend.standardize_dtype(query.dtype) == "float16":
        # Its range ends at 65,504; that of bfloat16 is float32's.
        query, key = ops.cast(query, "float32"), ops.cast(key, "float32")
    scores = ops.cast(ops.matmul(query, ops.swapaxes(key, -1, -2)), "float32")
    return _softmax(_masked(scores, mask, bias))


def attend_by_sums(query, key, value, mask=None, bias=None):
    """Of `softmax_weights` the `weighted_values`, for queries (B, H, 1, d), by elementwise operations."""
    query, key = ops.cast(query, "float32"), ops.cast(key, "float32")
    scores = _masked(ops.sum(query * key, axis=-1)[:, :, None, :], mask, bias)
    exponentials = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True, initial=-float("inf")))
    weights = exponentials / ops.sum(exponentials, axis=-1, keepdims=True)
    context = ops.sum(weights[:, :, 0, :, None] * ops.cast(value, "float32"), axis=2, keepdims=True)
    return ops.cast(context, value.dtype)


def weighted_values(weights, value):
    """(B, H, T, S) x (B, H, S, dv) -> (B, H, T, dv), in the dtype of `value`."""
    return ops.matmul(ops.cast(weights, value.dtype), value)


def _masked(scores, mask, bias):
    if bias is not None:
        # A bias of -inf masks too; softmax needs finite rows.
        scores = ops.maximum(scores + ops.cast(bias, "float32"), _MASKED_SCORE)
    if mask is not None:
        # Chosen, not added: NaN and infinity stay what they are in a sum.
        scores = ops.where(mask, scores, _MASKED_SCORE)
    return scores


def _softmax(scores):
    # Keras warns of a single entry, which here is the first step of decoding or a sentence of one token.
    return ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)
