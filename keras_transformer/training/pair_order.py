"""What scored pairs are trained for where only the order of their scores counts: objectives."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import UnitNormalization
from keras_transformer.layers.base_layer import RecordedLayer
from keras_transformer.types import Shape, Tensor

_NEVER = -1e9


@keras.saving.register_keras_serializable(package="keras_transformer")
class CoSENT(RecordedLayer):
    """A pair with a higher score must have a higher cosine than one with a lower score, whatever the scores.

    Known as CoSENTLoss in sentence-transformers. Gradients are larger than those of `SimilarityRegression`, which asks
    cosines to be the scores, while rank correlations ask for their order alone.

    Args:
        scale: of the cosines; the inverse of a temperature.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: two of (B, D).
        scores: floating (B,).

    Returns:
        log(1 + sum of exp(scale (cos_i - cos_j)) over all i, j with score_i < score_j), a float32 scalar.

    Raises:
        ValueError: for a scale of 0 or less.

    References:
        Su, 2022, "CoSENT: a more efficient sentence vector scheme than Sentence-BERT", https://kexue.fm/archives/8847.

    Example:
        >>> objective = keras_transformer.training.CoSENT(scale=1.0)
        >>> u, v = np.eye(2), np.array([[1.0, 0.0], [1.0, 0.0]])  # cosines 1 and 0, in the order of the scores
        >>> round(float(objective([u, v], np.array([0.8, 0.1]))), 4)  # log(1 + exp(0 - 1))
        0.3133
    """

    def __init__(self, scale: float = 20.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale = arguments.positive_number("scale", scale)

    def build(self, vectors_shape: Sequence[Shape], scores_shape: Shape | None = None) -> None:
        self.unit_normalization = UnitNormalization(name="unit_normalization")

    def call(self, vectors: Sequence[Tensor], scores: Tensor, training: bool | None = None) -> Tensor:
        alike = self.scale * self.similarities(*(ops.cast(vector, "float32") for vector in vectors))
        scores = ops.cast(scores, "float32")
        differences = ops.where(scores[:, None] < scores[None, :], alike[:, None] - alike[None, :], _NEVER)
        return ops.logsumexp(ops.concatenate([ops.zeros((1,)), ops.reshape(differences, (-1,))]))

    def similarities(self, u: Tensor, v: Tensor) -> Tensor:
        """How alike the two vectors of each pair are: float32 (B, D) twice to (B,)."""
        return ops.sum(self.unit_normalization(u) * self.unit_normalization(v), axis=-1)


@keras.saving.register_keras_serializable(package="keras_transformer")
class AnglE(CoSENT):
    """As `CoSENT`, by the angle between the vectors read as complex numbers, whose gradient does not vanish near 1.

    Known as AnglELoss in sentence-transformers. The first half of a vector is real parts, the second imaginary ones; an
    odd width is completed by a 0. The absolute sum of the real and imaginary parts of u / v, both of length 1, stands
    for the angle, as in the authors' code.

    Args:
        scale: of the angles.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: two of (B, D).
        scores: floating (B,).

    Returns:
        The loss of `CoSENT`, a float32 scalar. The paper adds this to a ranking and a cosine loss: other tasks here.

    Raises:
        ValueError: for a scale of 0 or less.

    References:
        Li and Li, 2023, "AnglE-optimized Text Embeddings", section 3.4.

    Example:
        >>> objective = keras_transformer.training.AnglE(scale=1.0)
        >>> u, v = np.eye(2), np.array([[1.0, 0.0], [0.6, -0.8]])  # 1 / 1 = 1; i / (0.6 - 0.8i) = -0.8 + 0.6i
        >>> round(float(objective([u, v], np.array([0.8, 0.1]))), 4)  # log(1 + exp(0.2 - 1))
        0.3711
    """

    def similarities(self, u: Tensor, v: Tensor) -> Tensor:
        half = -(-u.shape[-1] // 2)
        padding = [[0, 0], [0, 2 * half - u.shape[-1]]]
        u, v = [ops.pad(self.unit_normalization(vector), padding) for vector in (u, v)]
        (a, b), (c, d) = (u[:, :half], u[:, half:]), (v[:, :half], v[:, half:])
        return ops.abs(ops.sum(a * c + b * d + b * c - a * d, axis=-1))
