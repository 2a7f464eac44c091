"""What is learned from a teacher's scores of candidates, of a cross-encoder's for one: objectives, as `objectives`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.base_layer import RecordedLayer
from keras_transformer.types import Shape, Tensor


class _ScoredCandidates(RecordedLayer):
    """What both share: scores of candidates are products of vectors, as they are, with the query's."""

    def __init__(self, scale: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale = arguments.positive_number("scale", scale)

    def build(self, vectors_shape: Sequence[Shape], scores_shape: Shape) -> None:
        count = len(vectors_shape) - 1
        if count < 2 or scores_shape[-1] != count:
            raise ValueError(
                "Expected a query, at least two candidates, and a score of each candidate. "
                f"Received: {count} candidates and scores of shape {tuple(scores_shape)}"
            )

    def _scores(self, vectors):
        """(B, number of candidates)."""
        query, *candidates = [ops.cast(vector, "float32") for vector in vectors]
        return self.scale * ops.stack([ops.sum(query * candidate, axis=-1) for candidate in candidates], axis=-1)


@keras.saving.register_keras_serializable(package="keras_transformer")
class MarginMSE(_ScoredCandidates):
    """By how much the first candidate is better than each other one must be what the teacher says.

    Known as MarginMSELoss in sentence-transformers, whose labels may also be the margins.

    Args:
        scale: of the products of vectors. Those of unit vectors are from -1 to 1; a cross-encoder's scores are often
            from -10 to 10.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: a query, the right candidate and any number of others, (B, D) each.
        scores: floating (B, number of candidates), the teacher's.

    Returns:
        The mean squared difference of margins, a float32 scalar.

    Raises:
        ValueError: for a scale of 0 or less, less than two candidates, another number of scores.

    References:
        Hofstätter et al., 2020, "Improving Efficient Neural Ranking Models with Cross-Architecture Knowledge
        Distillation", section 3.2.

    Example:
        >>> query, right, wrong = np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
        >>> float(keras_transformer.training.MarginMSE()([query, right, wrong], np.array([[7.0, 4.0]])))  # (1 - 3)^2
        4.0
    """

    def call(self, vectors: Sequence[Tensor], scores: Tensor, training: bool | None = None) -> Tensor:
        found, wanted = self._scores(vectors), ops.cast(scores, "float32")
        return ops.mean(ops.square((found[:, :1] - found[:, 1:]) - (wanted[:, :1] - wanted[:, 1:])))


@keras.saving.register_keras_serializable(package="keras_transformer")
class ScoreDistribution(_ScoredCandidates):
    """The softmax over a query's candidates must be the teacher's.

    Known as DistillKLDivLoss in sentence-transformers.

    Args:
        scale: of the products of vectors, not of the teacher's scores.
        temperature: both sides' scores are divided by it, and the loss is multiplied with its square.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: a query and two or more candidates, (B, D) each.
        scores: floating (B, number of candidates), the teacher's.

    Returns:
        The mean over queries of the Kullback-Leibler divergence from the teacher's distribution, a float32 scalar.

    Raises:
        ValueError: for a scale or temperature of 0 or less, less than two candidates, another number of scores.

    References:
        Hinton et al., 2015, "Distilling the Knowledge in a Neural Network"; Lin et al., 2020, "Distilling Dense
        Representations for Ranking using Tightly-Coupled Teachers", section 2.

    Example:
        >>> query, right, wrong = np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
        >>> objective = keras_transformer.training.ScoreDistribution()
        >>> abs(round(float(objective([query, right, wrong], np.array([[5.0, 4.0]]))), 4))  # both are one apart
        0.0
    """

    def __init__(self, scale: float = 1.0, temperature: float = 1.0, **kwargs: Any):
        super().__init__(scale, **kwargs)
        self.temperature = arguments.positive_number("temperature", temperature)

    def call(self, vectors: Sequence[Tensor], scores: Tensor, training: bool | None = None) -> Tensor:
        found = ops.log_softmax(self._scores(vectors) / self.temperature, axis=-1)
        wanted = ops.log_softmax(ops.cast(scores, "float32") / self.temperature, axis=-1)
        divergences = ops.sum(ops.exp(wanted) * (wanted - found), axis=-1)
        return self.temperature**2 * ops.mean(divergences)
