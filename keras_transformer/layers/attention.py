"""Scaled dot-product attention as pure functions, after section 3.2.1 of the paper.

The public function has the layout (B, T, H, d) of `keras.ops.dot_product_attention`. The two it is made of
have the heads in front, (B, H, T, d): the layout of the matrix products and of the decoding cache.
"""

import keras
from keras import ops

from keras_transformer.layers import masks

# Finite, so that a row of nothing but masked scores stays a number; below any real score.
_MASKED_SCORE = -1e30


def scaled_dot_product_attention(query, key, value, mask=None, bias=None, return_attention_scores=False):
    """softmax(Q K^T / sqrt(d)) V for each head, with the softmax in float32.

    Args:
        query: (B, T, H, d), floating.
        key: (B, S, H, d).
        value: (B, S, H, dv).
        mask: boolean, broadcastable to (B, H, T, S) with four axes; True means attend. A query that may
            attend to nothing gets a zero context.
        bias: added to the scaled scores, broadcastable to (B, H, T, S).
        return_attention_scores: also return the softmax weights.

    Returns:
        The context (B, T, H, dv) in the dtype of `value`; with `return_attention_scores` also the weights
        (B, H, T, S) in the same dtype.

    Raises:
        ValueError: if shapes do not fit each other, or `mask` is not boolean.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", section 3.2.1. Relative to the paper: rows
        without any key to attend to are defined (zero).
    """
    query, key, value = (_as_tensor(x) for x in (query, key, value))
    _check(query, key, value)
    heads_first = (0, 2, 1, 3)
    mask = masks.check("mask", mask, _score_shape(query, key))
    weights = attention_weights(ops.transpose(query, heads_first), ops.transpose(key, heads_first), mask, bias)
    context = weighted_values(weights, ops.transpose(value, heads_first))
    context = ops.transpose(context, heads_first)
    if return_attention_scores:
        return context, ops.cast(weights, value.dtype)
    return context


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
    # Scaled before the product, so that float16 scores stay within range.
    query = query * ops.cast(query.shape[-1] ** -0.5, query.dtype)
    scores = ops.cast(ops.matmul(query, ops.swapaxes(key, -1, -2)), "float32")
    if bias is not None:
        # A bias of -inf masks too; softmax needs finite rows.
        scores = ops.maximum(scores + ops.cast(bias, "float32"), _MASKED_SCORE)
    if mask is None:
        return _softmax(scores)
    weights = _softmax(ops.where(mask, scores, _MASKED_SCORE))
    return ops.where(ops.any(mask, axis=-1, keepdims=True), weights, 0.0)


def weighted_values(weights, value):
    """(B, H, T, S) x (B, H, S, dv) -> (B, H, T, dv), in the dtype of `value`."""
    return ops.matmul(ops.cast(weights, value.dtype), value)


def _softmax(scores):
    # Keras warns of a single entry, which here is the first step of decoding or a sentence of one token.
    return ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)


def _as_tensor(x):
    return x if isinstance(x, keras.KerasTensor) else ops.convert_to_tensor(x)


def _score_shape(query, key):
    return (query.shape[0], query.shape[2], query.shape[1], key.shape[1])


def _check(query, key, value):
    dtypes = [keras.backend.standardize_dtype(x.dtype) for x in (query, key, value)]
    if not all("float" in dtype for dtype in dtypes):
        raise ValueError(f"Expected floating query, key and value. Received: dtypes {', '.join(dtypes)}")
    shapes = [tuple(x.shape) for x in (query, key, value)]
    if any(len(shape) != 4 for shape in shapes):
        raise ValueError(
            "Expected query, key and value of shape (batch, length, heads, width). "
            f"Received: {shapes[0]}, {shapes[1]}, {shapes[2]}"
        )
    fits = (
        _same(shapes[0][0], shapes[1][0], shapes[2][0])
        and _same(shapes[0][2], shapes[1][2], shapes[2][2])
        and _same(shapes[1][1], shapes[2][1])
        and _same(shapes[0][3], shapes[1][3])
    )
    if not fits:
        raise ValueError(
            "Expected query (B, T, H, d), key (B, S, H, d) and value (B, S, H, dv). "
            f"Received: {shapes[0]}, {shapes[1]}, {shapes[2]}"
        )


def _same(*sizes):
    return len({size for size in sizes if size is not None}) <= 1
