"""Ranking within the batch, where a guide says which wrong candidates may be right: an objective, as `objectives`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import UnitNormalization
from keras_transformer.layers.base_layer import RecordedLayer
from keras_transformer.types import Shape, Tensor

_NEVER = -1e9
# Equal texts have equal vectors of the guide, whose cosine rounding may put a little below 1.
_ROUNDING = 1e-5


@keras.saving.register_keras_serializable(package="keras_transformer")
class GuidedRanking(RecordedLayer):
    """Each input must find its own response, among what a guide, another encoder, says is less alike.

    Known as GISTEmbedLoss in sentence-transformers. Candidates of an input are all responses and hard negatives of the
    batch, all other inputs, and, for its response, all other responses. One that the guide finds as near as the
    input's own response is left out: it may be right as well.

    Args:
        scale: of the cosines; the inverse of the temperature, which is 0.01 in sentence-transformers.
        margin: how much less alike, in cosines of the guide, than the input's own response a candidate is left out
            already: the absolute margin of sentence-transformers. A negative one leaves out less.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: a list of (B, D): inputs, responses, and any number of hard negatives.
        guide: floating (B, number of vectors, width of the guide's): the guide's vector of each text.

    Returns:
        The mean cross-entropy, a float32 scalar.

    Raises:
        ValueError: for a scale of 0 or less and a margin that is no number from -2 to 2.

    References:
        Solatorio, 2024, "GISTEmbed: Guided In-sample Selection of Training Negatives for Text Embedding Fine-tuning".
        Hard negatives are candidates of every input, as in sentence-transformers; the paper has none.

    Example:
        >>> objective = keras_transformer.training.GuidedRanking(scale=1.0)
        >>> vectors = [np.eye(2), np.eye(2)]
        >>> round(float(objective(vectors, np.stack(vectors, axis=1))), 4)  # log(e + 3) - 1: one of three others each
        0.7437
        >>> same = np.ones((2, 2, 2))  # the guide finds all texts equal, so that none counts as wrong
        >>> float(objective(vectors, same))
        0.0
    """

    def __init__(self, scale: float = 100.0, margin: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale = arguments.positive_number("scale", scale)
        if not -2 <= margin <= 2:
            raise ValueError(f"Expected a margin of cosines, from -2 to 2. Received: margin={margin!r}")
        self.margin = float(margin)

    def build(self, vectors_shape: Sequence[Shape], guide_shape: Shape) -> None:
        if guide_shape[1] != len(vectors_shape):
            raise ValueError(
                f"Expected the guide's vectors of {len(vectors_shape)} texts a row. Received: {guide_shape[1]}"
            )
        self.unit_normalization = UnitNormalization(name="unit_normalization")

    def call(self, vectors: Sequence[Tensor], guide: Tensor, training: bool | None = None) -> Tensor:
        guide = ops.cast(guide, "float32")
        found = self._cosines(vectors)
        guided = self._cosines([guide[:, i] for i in range(len(vectors))])
        count = ops.shape(vectors[0])[0]
        places = ops.arange(count, dtype="int32")
        own = ops.take_along_axis(guided, places[:, None], axis=1)
        is_own = ops.arange(ops.shape(found)[1], dtype="int32")[None, :] == places[:, None]
        is_hidden = ops.logical_and(guided > own - self.margin - _ROUNDING, ops.logical_not(is_own))
        # A text is no candidate for itself, whatever the margin.
        is_itself = places[:, None] == places[None, :]
        nothing = [ops.zeros_like(is_itself)] * (len(vectors) - 2)
        is_itself = ops.concatenate([ops.zeros_like(is_itself), is_itself, is_itself, *nothing], axis=1)
        scores = ops.where(ops.logical_or(is_hidden, is_itself), _NEVER, self.scale * found)
        right = ops.take_along_axis(scores, places[:, None], axis=1)[:, 0]
        return ops.mean(ops.logsumexp(scores, axis=-1) - right)

    def _cosines(self, vectors):
        """(B, B times number of vectors + 1): of inputs with responses, inputs, and negatives; of responses."""
        inputs, responses, *negatives = [self.unit_normalization(ops.cast(vector, "float32")) for vector in vectors]
        pairs = [(inputs, responses), (inputs, inputs), (responses, responses)]
        pairs += [(inputs, negative) for negative in negatives]
        return ops.concatenate([ops.matmul(u, ops.transpose(v)) for u, v in pairs], axis=1)
