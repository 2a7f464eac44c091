import math

import keras
from keras import ops

from keras_transformer.layers import masks
from keras_transformer.models.transformer import Transformer


@keras.saving.register_keras_serializable(package="keras_transformer")
class Ensemble(keras.Model):
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
    """

    def __init__(self, members, name=None):
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
    def source_embedding(self):
        """That of the first member."""
        return self.members[0].source_embedding

    @property
    def target_embedding(self):
        """That of the first member."""
        return self.members[0].target_embedding

    @property
    def has_growing_cache(self):
        """As `Transformer.has_growing_cache`."""
        return all(member.has_growing_cache for member in self.members)

    def call(self, inputs, training=None):
        return _mean([member(inputs, training=training) for member in self.members])

    def encode(self, source_ids, training=None, packed=False):
        """Source ids (B, S) to what the members make of them side by side (B, S, D1 + D2 + ...), with the mask."""
        outputs = [member.encode(source_ids, training, packed) for member in self.members]
        dtype = keras.backend.result_type(*(x.dtype for x in outputs))
        joined = ops.concatenate([ops.cast(x, dtype) for x in outputs], axis=-1)
        masks.attach(joined, masks.implicit_mask(outputs[0]))
        return joined

    def decode(self, target_ids, encoder_outputs, training=None, return_attention_scores=False, packed=False):
        """As `Transformer.decode`.

        Attention weights are (B, H1 + H2 + ..., T, S), the heads of the members side by side, of each of as many last
        blocks as all have.
        """
        results = [
            member.decode(target_ids, part, training, return_attention_scores, packed)
            for member, part in self._parts(encoder_outputs)
        ]
        if not return_attention_scores:
            return _mean(results)
        logits, scores = zip(*results)
        depth = min(map(len, scores))
        return _mean(logits), [ops.concatenate(heads, axis=1) for heads in zip(*(s[-depth:] for s in scores))]

    def make_cache(self, encoder_outputs, max_length=None):
        """As `Transformer.make_cache`: {"members": the cache of each}."""
        return {"members": [member.make_cache(part, max_length) for member, part in self._parts(encoder_outputs)]}

    def spread_cache(self, cache, num_hypotheses):
        """As `Transformer.spread_cache`."""
        return self._with_caches(cache, "spread_cache", num_hypotheses)

    def reorder_cache(self, cache, parents):
        """As `Transformer.reorder_cache`."""
        return self._with_caches(cache, "reorder_cache", parents)

    def decode_step(self, target_ids, cache, index):
        """As `Transformer.decode_step`."""
        steps = [member.decode_step(target_ids, part, index) for member, part in zip(self.members, cache["members"])]
        logits, caches = zip(*steps)
        return _mean(logits), {"members": list(caches)}

    def _with_caches(self, cache, method, argument):
        pairs = zip(self.members, cache["members"])
        return {"members": [getattr(member, method)(part, argument) for member, part in pairs]}

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

    def get_config(self):
        members = [keras.saving.serialize_keras_object(member) for member in self.members]
        # Without how they were compiled.
        members = [{key: value for key, value in m.items() if key != "compile_config"} for m in members]
        return {"name": self.name, "members": members}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        members = [keras.saving.deserialize_keras_object(member) for member in config["members"]]
        return cls(members, config["name"])


def _mean(logits):
    """Logits (..., V) of the mean of the probabilities that each of `logits` gives."""
    log_probs = ops.stack([ops.log_softmax(ops.cast(x, "float32"), axis=-1) for x in logits])
    return ops.logsumexp(log_probs, axis=0) - math.log(len(logits))
