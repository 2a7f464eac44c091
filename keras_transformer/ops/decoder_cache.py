"""What a decoder's step carries along: the caches of all blocks, and for a beam, which positions belong to whom.

A beam does not reorder keys and values. All K hypotheses of a sentence write into its one cache, and a `BeamCache`
has a table of which cache positions belong to each hypothesis; only that is reordered.
"""

from typing import NamedTuple

from keras import ops

from keras_transformer.ops.kv_cache import KeyValueCache
from keras_transformer.ops.top_k import take_rows
from keras_transformer.types import Tensor


class Step(NamedTuple):
    """Where the new positions of one decoding step go.

    Attributes:
        token_ids: (B, T).
        positions: integers (T,), those of the ids.
        index: where the first of them is written.
        attention_mask: which places each sees besides, (B, T, L); `None` for all.
    """

    token_ids: Tensor
    positions: Tensor
    index: Tensor
    attention_mask: Tensor


class DecoderCache(NamedTuple):
    """What a decoder's step carries along, one hypothesis for each sentence.

    Attributes:
        blocks: the `KeyValueCache` of each block's self-attention.
        contexts: (keys, values), both (B, H, S, d), of each block's attention to the encoder's outputs.
        context_mask: boolean (B, S), the padding mask of the encoder's outputs: one for all blocks, so that steps
            prepare it once.

    Example:
        >>> cache = keras_transformer.ops.empty_cache(
        ...     batch_size=2, num_heads=1, head_dim=2, dtype="float32", max_length=3
        ... )
        >>> context = np.zeros((2, 1, 4, 2), "float32")
        >>> decoder_cache = keras_transformer.ops.DecoderCache((cache,), ((context, context),), np.ones((2, 4), bool))
        >>> decoder_cache.expand_to_beam(5).ancestors.shape
        TensorShape([2, 5, 15])
    """

    blocks: tuple[KeyValueCache, ...]
    contexts: tuple[tuple[Tensor, Tensor], ...]
    context_mask: Tensor

    def step(self, token_ids: Tensor, index: Tensor) -> Step:
        """Places the ids (B, T) of positions `index`, `index` + 1, ..."""
        positions = ops.arange(ops.shape(token_ids)[1], dtype="int32") + ops.cast(index, "int32")
        return Step(token_ids, positions, index, None)

    def after(self, step: Step, blocks: list[KeyValueCache]) -> "DecoderCache":
        """The cache once the blocks have written their part of a step."""
        return self._replace(blocks=tuple(blocks))

    def expand_to_beam(self, beam_size: int) -> "BeamCache":
        """The cache for K hypotheses of each sentence, before the first step.

        Raises:
            ValueError: for a growing cache that is known to have positions already.
        """
        blocks = tuple(block.expand_to_beam(beam_size) for block in self.blocks)
        ancestors = blocks[0].first_ancestors(ops.shape(self.context_mask)[0], beam_size)
        return BeamCache(blocks, self.contexts, self.context_mask, ancestors)


class BeamCache(NamedTuple):
    """What a decoder's step carries along for K hypotheses of each sentence.

    Attributes:
        blocks: as of `DecoderCache`; a fixed one has room for K times as many positions.
        contexts: as of `DecoderCache`.
        context_mask: as of `DecoderCache`.
        ancestors: boolean (B, K, L), which cache positions of its sentence belong to each hypothesis.

    Example:
        >>> cache = keras_transformer.ops.empty_cache(
        ...     batch_size=1, num_heads=1, head_dim=2, dtype="float32", max_length=1
        ... )
        >>> ancestors = np.array([[[True, False], [False, True]]])
        >>> beam = keras_transformer.ops.BeamCache((cache,), (), np.ones((1, 1), bool), ancestors)
        >>> np.asarray(beam.reorder(np.array([[1, 1]])).ancestors)
        array([[[False,  True],
                [False,  True]]])
    """

    blocks: tuple[KeyValueCache, ...]
    contexts: tuple[tuple[Tensor, Tensor], ...]
    context_mask: Tensor
    ancestors: Tensor

    def step(self, token_ids: Tensor, index: Tensor) -> Step:
        """Places the ids (B * K, 1) of position `index`, those of a sentence side by side."""
        number = ops.shape(self.ancestors)[1]
        positions = ops.zeros((number,), dtype="int32") + ops.cast(index, "int32")
        first = index * number
        ancestors = self.blocks[0].with_own_places(self.ancestors, first)
        return Step(ops.reshape(token_ids, (-1, number)), positions, first, ancestors)

    def after(self, step: Step, blocks: list[KeyValueCache]) -> "BeamCache":
        """As that of `DecoderCache`."""
        return self._replace(blocks=tuple(blocks), ancestors=step.attention_mask)

    def expand_to_beam(self, beam_size: int) -> "BeamCache":
        """As that of `DecoderCache`: another number of hypotheses, before the first step, of a beam of 1.

        Raises:
            ValueError: as that of `DecoderCache`.
        """
        if self.ancestors.shape[1] not in (1, None):  # `None` in a graph
            raise ValueError(f"Expected a beam of 1 to expand. Received: one of {self.ancestors.shape[1]}")
        return DecoderCache(self.blocks, self.contexts, self.context_mask).expand_to_beam(beam_size)

    def reorder(self, parents: Tensor) -> "BeamCache":
        """The cache of hypotheses that go on from `parents`, integers (B, K)."""
        return self._replace(ancestors=take_rows(self.ancestors, ops.cast(parents, "int32")))
