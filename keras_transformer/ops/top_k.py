"""The largest of many logits, and entries by index."""

from keras import ops

from keras_transformer.types import Tensor

_GROUP = 128  # logits


def top_k(logits: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """`ops.top_k` of logits (B, K, V), many times faster on CPU where V is large.

    The k largest are in the k groups of logits whose largest are largest. Groups stay in their order, so that of equal
    ones the lower index comes first here too.

    Returns:
        (values, int32 indices), both (B, K, k).
    """
    vocabulary_size = logits.shape[-1]
    num_groups = -(-vocabulary_size // _GROUP)
    if k > num_groups // 4:
        values, indices = ops.top_k(logits, k)
        return values, ops.cast(indices, "int32")
    if vocabulary_size % _GROUP:
        missing = num_groups * _GROUP - vocabulary_size
        logits = ops.pad(logits, [[0, 0], [0, 0], [0, missing]], constant_values=-float("inf"))
    batch_size, beam_size = ops.shape(logits)[:2]
    groups = ops.reshape(logits, (batch_size * beam_size, num_groups, _GROUP))
    chosen = ops.sort(ops.cast(ops.top_k(ops.max(groups, axis=-1), k)[1], "int32"), axis=-1)
    rows = ops.arange(ops.shape(groups)[0], dtype="int32")[:, None] * num_groups + chosen
    candidates = ops.reshape(ops.take(ops.reshape(groups, (-1, _GROUP)), rows, axis=0), (-1, k * _GROUP))
    values, places = ops.top_k(candidates, k)
    places = ops.cast(places, "int32")
    indices = select(chosen, places // _GROUP) * _GROUP + places % _GROUP
    shape = (batch_size, beam_size, k)
    return ops.reshape(values, shape), ops.reshape(indices, shape)


def select(values: Tensor, indices: Tensor) -> Tensor:
    """Of values (..., M) those at int32 indices (..., C): (..., C). The leading axes are the same."""
    rows = ops.reshape(indices, (-1, indices.shape[-1]))
    first = ops.arange(ops.shape(rows)[0], dtype="int32")[:, None] * values.shape[-1]
    return ops.reshape(ops.take(ops.reshape(values, (-1,)), first + rows), ops.shape(indices))


def rows_of(indices: Tensor, number: int) -> Tensor:
    """Indices (B, K) among `number` rows of each sentence as indices among the rows of all."""
    return ops.arange(ops.shape(indices)[0], dtype="int32")[:, None] * number + indices


def take_rows(x: Tensor, indices: Tensor) -> Tensor:
    """Of x (B, M, L) each sentence's rows at int32 indices (B, K): (B, K, L)."""
    batch_size, number, length = ops.shape(x)
    return ops.take(ops.reshape(x, (batch_size * number, length)), rows_of(indices, number), axis=0)
