"""Keys and values that an attention layer keeps while a sequence is decoded step by step, heads first.

A `FixedKeyValueCache` has room for L positions: its shape never changes, as JAX and XLA want it. A
`GrowingKeyValueCache` holds the positions so far and no more: a step copies and attends to what was written, not to
all that might be. Both are named tuples of tensors, which loops and compiled functions carry.
"""

from typing import NamedTuple, TypeAlias

import keras
from keras import ops

from keras_transformer.ops import masks
from keras_transformer.ops.unpadding import hide_sizes
from keras_transformer.types import DType, Tensor


class FixedKeyValueCache(NamedTuple):
    """Keys and values with room for L positions.

    Attributes:
        key: (B, H, L, d).
        value: (B, H, L, d).

    Example:
        >>> cache = keras_transformer.ops.empty_cache(
        ...     batch_size=1, num_heads=1, head_dim=2, dtype="float32", max_length=3
        ... )
        >>> one = np.ones((1, 1, 1, 2), "float32")
        >>> cache, seen = cache.append(one, one, index=0)
        >>> np.asarray(cache.key[0, 0, :, 0]), np.ravel(seen)
        (array([1., 0., 0.], dtype=float32), array([ True, False, False]))
    """

    key: Tensor
    value: Tensor

    def length_with(self, new: Tensor) -> int | None:
        """How many keys there are once `new` ones (B, H, T, d) are in it; `None` where that is unknown."""
        return self.key.shape[2]

    def mask_of_new(self, mask: Tensor, new: Tensor, index: Tensor) -> Tensor:
        """The part of a score mask (B, H, T, L), or `None`, that is of `new` keys written at `index`."""
        if mask is None or mask.shape[3] == 1:
            return mask
        number = _number_of_new(mask, new)
        _check_index(index, number, ops.shape(mask)[3])
        return _columns(mask, index, number)

    def append(self, key: Tensor, value: Tensor, index: Tensor) -> tuple["FixedKeyValueCache", Tensor]:
        """Writes new keys and values (B, H, T, d) from position `index` on.

        Returns:
            The cache, and the score mask by which each new position sees those up to its own.

        Raises:
            ValueError: without an index, and, where the numbers are known, for positions beyond L.
        """
        length = ops.shape(key)[2]
        _check_index(index, length, self.key.shape[2])
        cache = FixedKeyValueCache(_write(self.key, key, index), _write(self.value, value, index))
        return cache, masks.causal(length, ops.shape(cache.key)[2], index)

    def expand_to_beam(self, beam_size: int) -> "FixedKeyValueCache":
        """With room for the positions of K hypotheses, before the first step."""
        return FixedKeyValueCache(*(ops.repeat(x, beam_size, axis=2) for x in self))

    def first_ancestors(self, batch_size: Tensor, beam_size: int) -> Tensor:
        """Boolean (B, K, L): no hypothesis is made of any place yet."""
        return ops.zeros((batch_size, beam_size, ops.shape(self.key)[2]), dtype="bool")

    def with_own_places(self, ancestors: Tensor, index: Tensor) -> Tensor:
        """`ancestors` (B, K, L) once each of the K hypotheses has one place more, from `index` on."""
        number = ops.shape(ancestors)[1]
        places = ops.arange(ops.shape(ancestors)[2], dtype="int32") - index
        is_new = (places >= 0) & (places < number)
        return ops.where(is_new, places == ops.arange(number, dtype="int32")[:, None], ancestors)


class GrowingKeyValueCache(NamedTuple):
    """Keys and values of the positions so far; its length depends on the step (a dynamic shape).

    Attributes:
        key: (B, H, L, d).
        value: (B, H, L, d).

    Example:
        >>> cache = keras_transformer.ops.empty_cache(batch_size=1, num_heads=1, head_dim=2, dtype="float32")
        >>> one = np.ones((1, 1, 1, 2), "float32")
        >>> cache, seen = cache.append(one, one)
        >>> cache.key.shape, seen
        (TensorShape([1, 1, 1, 2]), None)
    """

    key: Tensor
    value: Tensor

    def length_with(self, new: Tensor) -> int | None:
        """As that of `FixedKeyValueCache`."""
        lengths = self.key.shape[2], new.shape[2]
        return None if None in lengths else sum(lengths)

    def mask_of_new(self, mask: Tensor, new: Tensor, index: Tensor = None) -> Tensor:
        """As that of `FixedKeyValueCache`; the new ones are the last."""
        if mask is None or mask.shape[3] == 1:
            return mask
        number = _number_of_new(mask, new)
        return _columns(mask, ops.shape(mask)[3] - number, number)

    def append(self, key: Tensor, value: Tensor, index: Tensor = None) -> tuple["GrowingKeyValueCache", Tensor | None]:
        """As that of `FixedKeyValueCache`, behind what is there; the mask is `None` where a position sees all."""
        length, index = ops.shape(key)[2], ops.shape(self.key)[2]
        cache = GrowingKeyValueCache(_append(self.key, key), _append(self.value, value))
        if isinstance(length, int) and length == 1:
            return cache, None
        return cache, masks.causal(length, ops.shape(cache.key)[2], index)

    def expand_to_beam(self, beam_size: int) -> "GrowingKeyValueCache":
        """Itself, before the first step.

        Raises:
            ValueError: for a cache that is known to have positions already.
        """
        if length := self.key.shape[2]:  # `None` in a graph
            raise ValueError(f"Expected a cache before its first step. Received: one of {length} positions")
        return self

    def first_ancestors(self, batch_size: Tensor, beam_size: int) -> Tensor:
        """Boolean (B, K, 0): there are no places yet. K is hidden, so that exports store one step for all searches."""
        return hide_sizes(ops.zeros((batch_size, beam_size, 0), dtype="bool"), axes=[1, 2])

    def with_own_places(self, ancestors: Tensor, index: Tensor = None) -> Tensor:
        """`ancestors` (B, K, L) with the places of one step more: (B, K, L + K)."""
        batch_size, number, _ = ops.shape(ancestors)
        numbers = ops.arange(number, dtype="int32")
        own = ops.broadcast_to(numbers[:, None] == numbers, (batch_size, number, number))
        return ops.concatenate([ancestors, own], axis=2)


KeyValueCache: TypeAlias = FixedKeyValueCache | GrowingKeyValueCache


def as_cache(cache: KeyValueCache | list | tuple | None, index: Tensor = None) -> KeyValueCache | None:
    """A cache that may come from a reloaded Functional graph, where a named tuple is a plain list.

    Such a list is a fixed cache where a call has an index, which that needs, else a growing one.
    """
    if cache is None or isinstance(cache, FixedKeyValueCache | GrowingKeyValueCache):
        return cache
    return (GrowingKeyValueCache if index is None else FixedKeyValueCache)(*cache)


def empty_cache(
    batch_size: Tensor, num_heads: int, head_dim: int, dtype: DType, max_length: Tensor | None = None
) -> KeyValueCache:
    """A cache before its first step.

    Args:
        batch_size: B.
        num_heads: H.
        head_dim: d.
        dtype: of keys and values.
        max_length: L of a fixed cache; `None` for a growing one, which JAX and XLA cannot have.
    """
    if max_length is None:
        past = hide_sizes(ops.zeros((batch_size, num_heads, 0, head_dim), dtype=dtype), axes=[2])
        return GrowingKeyValueCache(past, past)
    shape = batch_size, num_heads, max_length, head_dim
    return FixedKeyValueCache(ops.zeros(shape, dtype=dtype), ops.zeros(shape, dtype=dtype))


class CrossAttentionCache(NamedTuple):
    """Keys and values of a context, computed once.

    Attributes:
        key: (B, H, S, d).
        value: (B, H, S, d).
        mask: boolean (B, S), the padding mask of the context; `None` where all of it is real and no loop carries it.

    Example:
        >>> key = np.zeros((2, 1, 3, 4))
        >>> keras_transformer.ops.CrossAttentionCache(key, key).mask is None
        True
    """

    key: Tensor
    value: Tensor
    mask: Tensor = None


def _number_of_new(mask, new):
    # Of the mask if it tells: a graph then does this once for all layers.
    return ops.shape(new if mask.shape[2] == 1 else mask)[2]


def _columns(mask, first, number):
    batch, heads, queries, _ = ops.shape(mask)
    return ops.slice(mask, (0, 0, 0, first), (batch, heads, queries, number))


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
