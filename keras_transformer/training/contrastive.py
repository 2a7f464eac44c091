"""What pairs are trained for of which one knows whether they belong together: objectives, as those of `objectives`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import UnitNormalization
from keras_transformer.layers.base_layer import RecordedLayer
from keras_transformer.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class ContrastivePairs(RecordedLayer):
    """Pairs that belong together must be near each other, all others at least a margin apart.

    Known as ContrastiveLoss in sentence-transformers.

    Args:
        margin: the distance, 1 - cosine, from which on a wrong pair no longer counts.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: two of (B, D).
        labels: (B,), 1 for pairs that belong together, 0 for others.

    Returns:
        The mean of d^2 / 2 of right pairs and max(0, margin - d)^2 / 2 of wrong ones, a float32 scalar.

    Raises:
        ValueError: for a margin of 0 or less.

    References:
        Hadsell et al., 2006, "Dimensionality Reduction by Learning an Invariant Mapping", section 2.

    Example:
        >>> objective = keras_transformer.training.ContrastivePairs(margin=0.5)
        >>> u, v = np.eye(2), np.array([[0.0, 1.0], [0.0, 1.0]])  # distances 1 and 0
        >>> float(objective([u, v], np.array([1, 0])))  # (1 / 2 + 0.25 / 2) / 2
        0.3125
    """

    def __init__(self, margin: float = 0.5, **kwargs: Any):
        super().__init__(**kwargs)
        self.margin = arguments.positive_number("margin", margin)

    def build(self, vectors_shape: Sequence[Shape], labels_shape: Shape | None = None) -> None:
        self.unit_normalization = UnitNormalization(name="unit_normalization")

    def call(self, vectors: Sequence[Tensor], labels: Tensor, training: bool | None = None) -> Tensor:
        distances, is_right = self._distances(vectors), ops.cast(labels, "bool")
        return 0.5 * ops.mean(self._of_pairs(distances, is_right))

    def _distances(self, vectors):
        u, v = [self.unit_normalization(vector) for vector in vectors]
        return 1.0 - ops.sum(u * v, axis=-1)

    def _of_pairs(self, distances, is_right):
        return ops.square(ops.where(is_right, distances, ops.relu(self.margin - distances)))


@keras.saving.register_keras_serializable(package="keras_transformer")
class OnlineContrastivePairs(ContrastivePairs):
    """As `ContrastivePairs`, of the hard pairs of a batch alone.

    Known as OnlineContrastiveLoss in sentence-transformers. Hard are right pairs that are further apart than the
    nearest wrong pair, and wrong ones that are nearer than the furthest right pair. In a batch of pairs of one kind
    their own mean distance stands for that of the other kind, as in theirs.

    Args:
        margin: the distance, 1 - cosine, from which on a wrong pair no longer counts.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: two of (B, D).
        labels: (B,), 1 for pairs that belong together, 0 for others.

    Returns:
        The sum (not the mean) of d^2 of hard right pairs and of max(0, margin - d)^2 of hard wrong ones, a float32
        scalar.

    Raises:
        ValueError: for a margin of 0 or less.

    Example:
        >>> objective = keras_transformer.training.OnlineContrastivePairs(margin=0.5)
        >>> u, v = np.eye(4), np.eye(4)[[1, 1, 2, 0]]  # distances 1, 0, 0, 1
        >>> float(objective([u, v], np.array([1, 1, 0, 0])))  # the first and the third are on the wrong side
        1.25
    """

    def call(self, vectors: Sequence[Tensor], labels: Tensor, training: bool | None = None) -> Tensor:
        distances, is_right = self._distances(vectors), ops.cast(labels, "bool")
        is_wrong = ops.logical_not(is_right)
        # Distances are from 0 to 2.
        furthest_right = ops.max(ops.where(is_right, distances, -1.0))
        nearest_wrong = ops.min(ops.where(is_wrong, distances, 3.0))
        wrong_below = ops.where(ops.any(is_right), furthest_right, _mean(distances, is_wrong))
        right_above = ops.where(ops.any(is_wrong), nearest_wrong, _mean(distances, is_right))
        is_hard = ops.where(is_right, distances > right_above, distances < wrong_below)
        return ops.sum(ops.where(is_hard, self._of_pairs(distances, is_right), 0.0))


def _mean(values, of):
    return ops.sum(ops.where(of, values, 0.0)) / ops.maximum(ops.sum(ops.cast(of, "float32")), 1.0)
