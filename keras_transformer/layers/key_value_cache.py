"""Keys and values that step-by-step decoding keeps, heads first, of one of two kinds.

A fixed cache {"key", "value"} has room for L positions: its shape never changes, as JAX and XLA want it. A growing one
{"past_key", "past_value"} holds the positions so far and no more: a step copies and attends to what was written, not to
all that might be.
"""

import keras
from keras import ops

from keras_transformer.layers import masks
from keras_transformer.layers.packing import of_changing_shape


def fixed_cache(batch_size, num_heads, length, head_dim, dtype):
    """Zeros (B, H, L, d)."""
    return {name: ops.zeros((batch_size, num_heads, length, head_dim), dtype=dtype) for name in ("key", "value")}


def growing_cache(batch_size, num_heads, head_dim, dtype):
    """Nothing yet, (B, H, 0, d)."""
    past = of_changing_shape(ops.zeros((batch_size, num_heads, 0, head_dim), dtype=dtype), axes=[2])
    return {"past_key": past, "past_value": past}


def is_growing(cache):
    """Whether a cache is of that kind."""
    return "past_key" in cache


def length_with(cache, key):
    """How many keys a cache has, once new ones (B, H, T, d) are in it; `None` where that is unknown."""
    if not is_growing(cache):
        return cache["key"].shape[2]
    lengths = cache["past_key"].shape[2], key.shape[2]
    return None if None in lengths else sum(lengths)


def mask_of_new(cache, mask, key, index):
    """The part of a score mask (B, H, T, L), or `None`, that is of new keys, for a cache of either kind."""
    if mask is None or mask.shape[3] == 1:
        return mask
    batch, heads, queries, length = ops.shape(mask)
    # Of the mask if it tells: a graph then does this once for all layers.
    number = ops.shape(key if mask.shape[2] == 1 else mask)[2]
    if is_growing(cache):
        index = length - number
    else:
        _check_index(index, number, length)
    return ops.slice(mask, (0, 0, 0, index), (batch, heads, queries, number))


def extend(cache, key, value, index):
    """Writes new keys and values (B, H, T, d) into a cache.

    Args:
        cache: of either kind.
        key: (B, H, T, d).
        value: likewise.
        index: the position of the first new one in a fixed cache; a growing one does not look at it.

    Returns:
        (the cache, all keys, all values, the score mask by which each new position sees those up to its own, or `None`
        where it sees all).

    Raises:
        ValueError: without an index for a fixed cache, and, where the numbers are known, for positions beyond it.
    """
    length = ops.shape(key)[2]
    if is_growing(cache):
        index = ops.shape(cache["past_key"])[2]
        key, value = _append(cache["past_key"], key), _append(cache["past_value"], value)
        seen = None if isinstance(length, int) and length == 1 else masks.causal(length, ops.shape(key)[2], index)
        return {"past_key": key, "past_value": value}, key, value, seen
    _check_index(index, length, cache["key"].shape[2])
    key, value = _write(cache["key"], key, index), _write(cache["value"], value, index)
    return {"key": key, "value": value}, key, value, masks.causal(length, ops.shape(key)[2], index)


def rows_of(indices, number):
    """Indices (B, K) among `number` rows of each sentence as indices among the rows of all."""
    return ops.arange(ops.shape(indices)[0], dtype="int32")[:, None] * number + indices


def take_rows(x, indices):
    """Of x (B, M, L) each sentence's rows at int32 indices (B, K): (B, K, L)."""
    batch_size, number, length = ops.shape(x)
    return ops.take(ops.reshape(x, (batch_size * number, length)), rows_of(indices, number), axis=0)


def _append(past, new):
    return ops.concatenate([past, ops.cast(new, past.dtype)], axis=2)


def _write(cached, new, index):
    new = ops.cast(new, cached.dtype)
    if keras.config.backend() != "tensorflow":
        return ops.slice_update(cached, (0, 0, index, 0), new)
    # There that is an operation of XLA, which TensorFlow Serving refuses by default.
    places = ops.arange(ops.shape(cached)[2], dtype="int32") - ops.cast(index, "int32")
    length = ops.shape(new)[2]
    written = new if new.shape[2] == 1 else ops.take(new, ops.clip(places, 0, length - 1), axis=2)
    return ops.where(((places >= 0) & (places < length))[:, None], written, cached)


def _check_index(index, length, cache_length):
    if index is None:
        raise ValueError("Expected cache_index with a cache of a fixed length. Received: cache_index=None")
    known = all(isinstance(number, int) for number in (index, length, cache_length))
    if known and not 0 <= index <= cache_length - length:
        raise ValueError(
            f"Expected {length} new positions within a cache of {cache_length}. Received: cache_index={index}"
        )
