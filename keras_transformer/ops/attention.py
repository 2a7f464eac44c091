"""Scaled dot-product attention, after section 3.2.1 of the paper: the one entry to it.

`attention` has the heads in front, (B, H, T, d): the layout of matrix products and of the decoding cache. The public
`scaled_dot_product_attention` is its transposition to (B, T, H, d), the layout of `keras.ops.dot_product_attention`.
"""

from collections.abc import Callable

import keras
from keras import ops

from keras_transformer.ops import dense_attention, masks
from keras_transformer.ops.blockwise_attention import blockwise_attention
from keras_transformer.types import Tensor

# Scores per head from which on attention is blockwise. Below, keeping them costs less time than computing them twice,
# and little memory.
BLOCKWISE_FROM = 4096 * 4096


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor = None,
    bias: Tensor = None,
    is_causal: bool = False,
    dropout: Callable[[Tensor], Tensor] | None = None,
    return_scores: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """softmax(Q K^T / sqrt(d)) V of heads-first tensors, the softmax in float32.

    All numbers must be finite, also where the mask is False: 0 times NaN would be NaN.

    Args:
        query: (B, H, T, d).
        key: (B, H, S, d).
        value: (B, H, S, dv).
        mask: boolean with four axes, broadcastable to (B, H, T, S), or `None`.
        bias: added to the scaled scores, or `None`. With one there are T x S numbers already, and no blocks.
        is_causal: whether query t sees keys up to t only, besides `mask`.
        dropout: applied to the weights; `None` for none.
        return_scores: whether the weights are asked for.

    Returns:
        The context (B, H, T, dv) in the dtype of `value`, zero for a query without keys; and the weights before
        dropout, (B, H, T, S) in float32, or `None` if not asked for.
    """
    needs_weights = dropout is not None or return_scores
    if bias is None and not needs_weights and _is_long(query, key):
        return blockwise_attention(query, key, value, mask, is_causal), None
    mask = masks.with_causal(mask, query, key) if is_causal else mask
    query = dense_attention.scaled(query)
    if not needs_weights:
        return masks.zero_without_keys(dense_attention.context(query, key, value, mask, bias), mask), None
    weights = dense_attention.softmax_weights(query, key, mask, bias)
    context = dense_attention.weighted_values(dropout(weights) if dropout else weights, value)
    scores = masks.zero_without_keys(weights, mask) if return_scores else None
    return masks.zero_without_keys(context, mask), scores


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor = None,
    bias: Tensor = None,
    is_causal: bool = False,
    return_attention_scores: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """softmax(Q K^T / sqrt(d)) V for each head, with the softmax in float32.

    From 4096 x 4096 scores per head on, with lengths known when the graph is made, and asked for neither bias nor
    scores, the memory that it takes is linear in the lengths, in the backward pass too.

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

    Example:
        >>> one_head = np.array([[[[0.0]], [[2.0]]]])  # (1, 2, 1, 1): both keys score 0 for the first query
        >>> np.ravel(keras_transformer.ops.scaled_dot_product_attention(one_head, one_head, one_head))[0]
        np.float64(1.0)
    """
    query, key, value = (_as_tensor(x) for x in (query, key, value))
    _check(query, key, value)
    mask = masks.check("mask", mask, _score_shape(query, key))
    heads_first = (0, 2, 1, 3)
    query, key, value = (ops.transpose(x, heads_first) for x in (query, key, value))
    query = masks.zero_without_keys(query, mask)
    key, value = masks.zero_unseen(key, mask), masks.zero_unseen(value, mask)
    context, scores = attention(
        query, key, value, mask, bias, is_causal=is_causal, return_scores=return_attention_scores
    )
    context = ops.transpose(context, heads_first)
    return (context, ops.cast(scores, value.dtype)) if return_attention_scores else context


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
