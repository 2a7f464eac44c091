"""What a search drives: any object with these methods, as `Transformer` has them."""

from typing import Any, Protocol, runtime_checkable

from keras_transformer.types import Tensor


class DecodableModel(Protocol):
    """A model that scores the next token of sequences.

    Its caches are structures of tensors. For a beam of K each tensor is repeated K times along its first axis, and each
    step reorders all of them but those that `decode_step` hands back untouched (the very object), which are taken to be
    the same for all hypotheses of a sentence. A `BeamableCache` does both in its own way.

    Example:
        >>> class Echo:  # says the source once more
        ...     def start_decoding(self, source_ids, max_length, static_shapes):
        ...         return {"source_ids": source_ids}
        ...
        ...     def decode_step(self, token_ids, cache, index):
        ...         return 9 * keras.ops.one_hot(cache["source_ids"][:, index, None], 8), cache
        >>> search = keras_transformer.decoding.GreedySearch()
        >>> np.asarray(search(Echo(), np.array([[5, 6, 3]]), [3], begin_id=2, end_id=3).ids)
        array([[[5, 6, 3]]], dtype=int32)
    """

    def start_decoding(self, source_ids: Tensor, max_length: Tensor, static_shapes: bool) -> Any:
        """The cache before the first step.

        Args:
            source_ids: integers (B, S), padded.
            max_length: how many positions will be decoded at most.
            static_shapes: whether no shape may change from step to step.
        """
        ...

    def decode_step(self, token_ids: Tensor, cache: Any, index: Tensor) -> tuple[Tensor, Any]:
        """Scores what may follow.

        Args:
            token_ids: (B, 1), the ids at position `index`; (B * K, 1) of a beam, those of a sentence side by side.
            cache: what `start_decoding` or the step before returned.
            index: scalar integer.

        Returns:
            Logits (B, 1, V), or as many numbers in another shape, and the updated cache.
        """
        ...


@runtime_checkable
class BeamableCache(Protocol):
    """A cache that serves the K hypotheses of each sentence in its own way, as `ops.DecoderCache` does.

    Example:
        >>> issubclass(keras_transformer.models.ensemble.EnsembleCache, keras_transformer.decoding.BeamableCache)
        True
    """

    def expand_to_beam(self, beam_size: int) -> "BeamableCache":
        """The cache for K hypotheses of each sentence, before the first step: one that can `reorder(parents)`.

        That takes integers (B, K): which of a sentence's hypotheses each new one goes on from.
        """
        ...
