"""Scaled dot-product attention as pure functions, after section 3.2.1 of the paper.

The public function has the layout (B, T, H, d) of `keras.ops.dot_product_attention`. What it is made of has the heads
in front, (B, H, T, d): the layout of the matrix products and of the decoding cache.
"""

import keras
from keras import ops

from keras_transformer.layers import masks
from keras_transformer.layers.attention_weights import (
    attend_by_sums,
    attention_weights,
    scaled,
    softmax_weights,
    weighted_values,
)
from keras_transformer.layers.blockwise_attention import blockwise_attention

# From so many scores of a head on they are computed in blocks. Below, keeping them costs less time than computing them
# twice, and little memory.
BLOCKWISE_FROM = 4096 * 4096
# Up to so many numbers in the keys, products of TensorFlow take longer to start than sums take in all: on CPU 100
# microseconds for 10, with 16 keys of 8 heads of 64.
_MOST_SUMMED = 2**16


def scaled_dot_product_attention(
    query, key, value, mask=None, bias=None, is_causal=False, return_attention_scores=False
):
    """softmax(Q K^T / sqrt(d)) V for each head, with the softmax in float32.

    From 4096 x 4096 scores on, with lengths known when the graph is made, and asked for neither bias nor scores, the
    memory that it takes is linear in the lengths, in the backward pass too.

    Args:
        query: (B, T, H, d), floating.
        key: (B, S, H, d).
        value: (B, S, H, dv).
        mask: boolean, broadcastable to (B, H, T, S) with four axes; True means attend. A query that may
            attend to nothing gets a zero context. Keys and values that no query may attend to can hold anything, NaN
            and infinity too.
        bias: added to the scaled scores, broadcastable to (B, H, T, S).
        is_causal: whether query t sees keys up to t only, besides `mask`.
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
    mask = masks.check("mask", mask, _score_shape(query, key))
    heads_first = (0, 2, 1, 3)
    query, key, value = (ops.transpose(x, heads_first) for x in (query, key, value))
    query = masks.zero_without_keys(query, mask)
    key, value = masks.zero_unseen(key, mask), masks.zero_unseen(value, mask)
    if not return_attention_scores:
        return ops.transpose(attend(query, key, value, mask, bias, is_causal), heads_first)
    mask = masks.with_causal(mask, query, key) if is_causal else mask
    weights = attention_weights(query, key, mask, bias)
    return ops.transpose(weighted_values(weights, value), heads_first), ops.cast(weights, value.dtype)


def attend(query, key, value, mask=None, bias=None, causal=False):
    """The context of heads-first tensors, blockwise where lengths are long.

    All of them must be finite, also where the mask is False: 0 times NaN would be NaN.

    Args:
        query: (B, H, T, d).
        key: (B, H, S, d).
        value: (B, H, S, dv).
        mask: boolean with four axes, broadcastable to (B, H, T, S), or `None`.
        bias: added to the scores, or `None`. With one there are T x S numbers already, and no blocks.
        causal: whether query t sees keys up to t only, besides `mask`.

    Returns:
        (B, H, T, dv) in the dtype of `value`.
    """
    if bias is None and _is_long(query, key):
        return blockwise_attention(query, key, value, mask, causal)
    mask = masks.with_causal(mask, query, key) if causal else mask
    return masks.zero_without_keys(_context(scaled(query), key, value, mask, bias), mask)


def _context(query, key, value, mask, bias):
    """As `attend`, of scaled queries; a query without keys gets some context or other."""

    def by_products():
        return weighted_values(softmax_weights(query, key, mask, bias), value)

    is_one = query.shape[2] == 1 and None not in (key.shape[1], key.shape[3])
    if not is_one or keras.config.backend() != "tensorflow" or isinstance(query, keras.KerasTensor):
        return by_products()
    # As when one sentence is decoded.
    are_few = ops.shape(key)[0] * ops.shape(key)[2] <= _MOST_SUMMED // (key.shape[1] * key.shape[3])
    return ops.cond(are_few, lambda: attend_by_sums(query, key, value, mask, bias), by_products)


def _is_long(query, key):
    lengths = query.shape[2], key.shape[2]
    # Unknown ones are `None`, or symbols on JAX.
    known = all(isinstance(length, int) for length in lengths) and not isinstance(query, keras.KerasTensor)
    return known and lengths[0] * lengths[1] >= BLOCKWISE_FROM


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
