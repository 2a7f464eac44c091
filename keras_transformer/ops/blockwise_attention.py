"""Attention in memory linear in the length: softmax(Q K^T) V, a block of queries at a time.

A block meets all keys at once, so that its softmax needs no running maximum. Nothing of T x S numbers is kept for the
backward pass: it computes the weights of each block anew, by the function that the forward pass used.

References:
    Rabe and Staats, 2021, "Self-attention Does Not Need O(n^2) Memory"; Dao et al., 2022, "FlashAttention".
"""

from keras import ops

from keras_transformer.ops import masks
from keras_transformer.ops.dense_attention import scaled, softmax_weights, weighted_values
from keras_transformer.types import Tensor

# Queries in a block: enough rows for matrix products at the full rate.
BLOCK_LENGTH = 256
# Parts of a causal sequence, each of which meets the keys up to its own end: four leave out 3/8 of the scores.
CAUSAL_PARTS = 4


def blockwise_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor = None,
    is_causal: bool = False,
    block_length: int = BLOCK_LENGTH,
) -> Tensor:
    """softmax(Q K^T / sqrt(d)) V, with no tensor of T x S scores in the forward or the backward pass.

    Args:
        query: (B, H, T, d), floating, with a known T, as all shapes here but for B.
        key: (B, H, S, d).
        value: (B, H, S, dv).
        mask: boolean with four axes, broadcastable to (B, H, T, S), or `None`; True means attend. It gets no gradient.
        is_causal: whether query t sees keys up to t only, of those that `mask` leaves.
        block_length: number of queries in a block.

    Returns:
        The context (B, H, T, dv) in the dtype of `value`; zero for queries with nothing to attend to.
    """
    width, length = value.shape[-1], query.shape[2]
    # All of one width, so that contexts and gradients can take the queries' places.
    widest = max(width, query.shape[-1])
    query, key, value = (_longer(x, -1, widest) for x in (scaled(query), key, value))
    if mask is not None and mask.shape[2] is None:
        mask = ops.broadcast_to(mask, (*ops.shape(mask)[:2], length, ops.shape(mask)[3]))
    if not is_causal:
        return _in_blocks(query, key, value, mask, None, block_length)[..., :width]
    part_length = -(-length // (CAUSAL_PARTS * block_length)) * block_length
    contexts = []
    for start in range(0, length, part_length):
        stop = min(start + part_length, length)
        part_mask = mask if mask is None or mask.shape[2] == 1 else mask[:, :, start:stop]
        part_mask = part_mask if mask is None else part_mask[..., :stop]
        seen = (x[:, :, :stop] for x in (key, value))
        contexts.append(_in_blocks(query[:, :, start:stop], *seen, part_mask, start, block_length))
    return ops.concatenate(contexts, axis=2)[..., :width]


def _in_blocks(query, key, value, mask, first_query, block_length):
    """As `blockwise_attention`, of tensors of one width and a scaled query.

    With `first_query`, the position of the first of the queries, under the causal mask too.
    """
    length, num_keys = query.shape[2], key.shape[2]
    whole = -(-length // block_length) * block_length
    query = _longer(query, 2, whole)
    masked = () if mask is None else (mask if mask.shape[2] == 1 else _longer(mask, 2, whole),)

    def score_mask(start, mask=None):
        """That of the block of queries from `start` on."""
        if mask is not None and mask.shape[2] != 1:
            mask = _rows(mask, start, block_length)
        if first_query is None:
            return mask
        return masks.combine(mask, masks.causal(block_length, num_keys, first_query + start))

    def replace_blocks(replacement, queries, *sums):
        """Puts `replacement(start, block of queries, *sums) -> (block, *sums)` into the place of each block.

        That a block is read from where the one before was written also keeps TensorFlow from computing several at a
        time, in several times the memory.
        """

        def body(number, blocks, *sums):
            block, *sums = replacement(number * block_length, ops.take(blocks, number, axis=0), *sums)
            # Not `ops.slice_update`, which on TensorFlow is an operation of XLA: servers refuse it by default.
            return number + 1, ops.scatter_update(blocks, ops.reshape(number, (1, 1)), block[None]), *sums

        batch, heads, _, width = ops.shape(queries)
        blocks = ops.reshape(queries, (batch, heads, -1, block_length, width))
        blocks = ops.transpose(blocks, (2, 0, 1, 3, 4))
        start = (ops.zeros((), dtype="int32"), blocks, *sums)
        _, blocks, *sums = ops.while_loop(lambda number, *_: number < whole // block_length, body, start)
        return ops.reshape(ops.transpose(blocks, (1, 2, 0, 3, 4)), (batch, heads, whole, width)), *sums

    # JAX wants all that is traced to come in as arguments.
    @ops.custom_gradient
    def attend(query, key, value, *masked):
        def context_of(start, query):
            block_mask = score_mask(start, *masked)
            context = weighted_values(softmax_weights(query, key, block_mask), value)
            return (masks.zero_without_keys(context, block_mask),)

        (contexts,) = replace_blocks(context_of, query)

        def gradients(upstream):
            def replacement(start, query, key_sum, value_sum):
                block_mask = score_mask(start, *masked)
                context, of_context = (_rows(x, start, block_length) for x in (contexts, upstream))
                of_context = masks.zero_without_keys(of_context, block_mask)
                of_query, of_key, of_value = _gradients(query, key, value, block_mask, context, of_context)
                return of_query, key_sum + ops.cast(of_key, "float32"), value_sum + ops.cast(of_value, "float32")

            sums = (ops.zeros_like(x, dtype="float32") for x in (key, value))
            of_query, of_key, of_value = replace_blocks(replacement, query, *sums)
            return of_query, ops.cast(of_key, key.dtype), ops.cast(of_value, value.dtype), *(None for _ in masked)

        return contexts, gradients

    return attend(query, key, value, *masked)[:, :, :length]


def _gradients(query, key, value, mask, context, of_context):
    """Those of a block's query, key and value, with all keys, from that of its context."""
    weights = softmax_weights(query, key, mask)
    of_weights = ops.cast(ops.matmul(of_context, ops.swapaxes(value, -1, -2)), "float32")
    # The derivative of the softmax; its sum over the keys is that over the width of the context.
    mean = ops.sum(ops.cast(of_context, "float32") * ops.cast(context, "float32"), axis=-1, keepdims=True)
    of_scores = ops.cast(weights * (of_weights - mean), query.dtype)
    of_key = ops.matmul(ops.swapaxes(of_scores, -1, -2), query)
    of_value = ops.matmul(ops.swapaxes(ops.cast(weights, value.dtype), -1, -2), of_context)
    return ops.matmul(of_scores, key), of_key, of_value


def _rows(x, start, number):
    """`x[:, :, start : start + number]`, also where `start` is known only when the graph runs."""
    batch, heads, _, width = ops.shape(x)
    return ops.slice(x, (0, 0, start, 0), (batch, heads, number, width))


def _longer(x, axis, size):
    """`x` with zeros, or False, behind it along `axis` up to `size`."""
    shape = list(ops.shape(x))
    shape[axis] = size - x.shape[axis]
    return ops.concatenate([x, ops.zeros(shape, x.dtype)], axis=axis) if shape[axis] else x
