import math
from collections.abc import Sequence
from typing import NamedTuple

import keras
from keras import ops

from keras_transformer.layers import TokenEmbedding
from keras_transformer.models.transformer import Transformer
from keras_transformer.ops import BeamCache, DecoderCache, masks
from keras_transformer.quantization import QuantizesToInt8
from keras_transformer.types import Config, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class Ensemble(QuantizesToInt8, keras.Model):
    """Several `Transformer`s that choose each token together, by the mean of their probabilities.

    Takes a `Transformer`'s place in searches and in a `Translator`, which is saved and exported as with one. It costs
    what its members cost together. To train them, train each alone.

    Args:
        members: a list of `Transformer`s whose ids mean the same. They may differ in size.
        name: the model's name.

    Call arguments:
        inputs: as of `Transformer`.
        training: whether dropout is active.

    Returns:
        Logits (B, T, V), the logarithms of mean probabilities, in float32.

    Raises:
        ValueError: for fewer than two members, what is no `Transformer`, and for vocabularies of different sizes.

    References:
        Sutskever et al., 2014, "Sequence to Sequence Learning with Neural Networks", section 3.6.

    Example:
        >>> members = [keras_transformer.models.Transformer.from_preset("tiny", vocabulary_size=50) for _ in range(2)]
        >>> ensemble = keras_transformer.models.Ensemble(members)
        >>> ensemble({"source_ids": np.array([[5, 6, 3]]), "target_ids": np.array([[2, 8]])}).shape
        TensorShape([1, 2, 50])
    """

    def __init__(self, members: Sequence[Transformer], name: str | None = None) -> None:
        super().__init__(name=name)
        self.members = list(members)
        if others := [type(member).__name__ for member in self.members if not isinstance(member, Transformer)]:
            raise ValueError(f"Expected Transformers. Received: {', '.join(others)}")
        sizes = [(m.source_embedding.vocabulary_size, m.target_embedding.vocabulary_size) for m in self.members]
        if len(sizes) < 2 or len(set(sizes)) > 1:
            raise ValueError(
                f"Expected two members or more with vocabularies of equal sizes. Received: {len(sizes)} with {sizes}"
            )
        self.built = True

    @property
    def source_embedding(self) -> TokenEmbedding:
        """That of the first member."""
        return self.members[0].source_embedding

    @property
    def target_embedding(self) -> TokenEmbedding:
        """That of the first member."""
        return self.members[0].target_embedding

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return _mean([member(inputs, training=training) for member in self.members])

    def encode(self, source_ids: Tensor, training: bool | None = None, unpadding: bool = False) -> Tensor:
        """Source ids (B, S) to what the members make of them side by side (B, S, D1 + D2 + ...), with the mask."""
        outputs = [member.encode(source_ids, training, unpadding) for member in self.members]
        dtype = keras.backend.result_type(*(x.dtype for x in outputs))
        joined = ops.concatenate([ops.cast(x, dtype) for x in outputs], axis=-1)
        masks.attach(joined, masks.implicit_mask(outputs[0]))
        return joined

    def decode(
        self,
        target_ids: Tensor,
        encoder_outputs: Tensor,
        training: bool | None = None,
        return_attention_scores: bool = False,
        unpadding: bool = False,
    ) -> Tensor | tuple[Tensor, list[Tensor]]:
        """As `Transformer.decode`.

        Attention weights are (B, H1 + H2 + ..., T, S), the heads of the members side by side, of each of as many last
        blocks as all have.
        """
        results = [
            member.decode(target_ids, part, training, return_attention_scores, unpadding)
            for member, part in self._parts(encoder_outputs)
        ]
        if not return_attention_scores:
            return _mean(results)
        logits, scores = zip(*results)
        depth = min(map(len, scores))
        return _mean(logits), [ops.concatenate(heads, axis=1) for heads in zip(*(s[-depth:] for s in scores))]

    def make_cache(self, encoder_outputs: Tensor, max_length: Tensor) -> "EnsembleCache":
        """As `Transformer.make_cache`."""
        return EnsembleCache(
            tuple(member.make_cache(part, max_length) for member, part in self._parts(encoder_outputs))
        )

    def make_growing_cache(self, encoder_outputs: Tensor) -> "EnsembleCache":
        """As `Transformer.make_growing_cache`."""
        return EnsembleCache(tuple(member.make_growing_cache(part) for member, part in self._parts(encoder_outputs)))

    def start_decoding(self, source_ids: Tensor, max_length: Tensor, static_shapes: bool = True) -> "EnsembleCache":
        """As `Transformer.start_decoding`."""
        return EnsembleCache(
            tuple(member.start_decoding(source_ids, max_length, static_shapes) for member in self.members)
        )

    def decode_step(self, target_ids: Tensor, cache: "EnsembleCache", index: Tensor) -> tuple[Tensor, "EnsembleCache"]:
        """As `Transformer.decode_step`."""
        steps = [member.decode_step(target_ids, part, index) for member, part in zip(self.members, cache.members)]
        logits, caches = zip(*steps)
        return _mean(logits), EnsembleCache(tuple(caches))

    def _parts(self, encoder_outputs):
        """Pairs of each member and its encoder outputs."""
        mask = masks.implicit_mask(encoder_outputs)
        start = 0
        for member in self.members:
            width = member.source_embedding.hidden_dim
            part = encoder_outputs[..., start : start + width]
            masks.attach(part, mask)
            start += width
            yield member, part

    def get_config(self) -> Config:
        members = [keras.saving.serialize_keras_object(member) for member in self.members]
        # Without how they were compiled.
        members = [{key: value for key, value in m.items() if key != "compile_config"} for m in members]
        return {"name": self.name, "members": members}

    @classmethod
    def from_config(cls, config: Config, custom_objects: dict | None = None) -> "Ensemble":
        members = [keras.saving.deserialize_keras_object(member) for member in config["members"]]
        return cls(members, config["name"])


def _mean(logits):
    """Logits (..., V) of the mean of the probabilities that each of `logits` gives."""
    log_probs = ops.stack([ops.log_softmax(ops.cast(x, "float32"), axis=-1) for x in logits])
    return ops.logsumexp(log_probs, axis=0) - math.log(len(logits))


class EnsembleCache(NamedTuple):
    """What an ensemble's step carries along: the cache of each member.

    Attributes:
        members: their `ops.DecoderCache`s or `ops.BeamCache`s.
    """

    members: tuple[DecoderCache | BeamCache, ...]

    def expand_to_beam(self, beam_size: int) -> "EnsembleCache":
        """As `ops.DecoderCache.expand_to_beam`."""
        return EnsembleCache(tuple(member.expand_to_beam(beam_size) for member in self.members))

    def reorder(self, parents: Tensor) -> "EnsembleCache":
        """As `ops.BeamCache.reorder`."""
        return EnsembleCache(tuple(member.reorder(parents) for member in self.members))
