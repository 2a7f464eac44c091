"""What triplets are trained for, given as rows or found in a batch by labels: objectives, as those of `objectives`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import UnitNormalization
from keras_transformer.layers.base_layer import RecordedLayer
from keras_transformer.types import Shape, Tensor

DISTANCES = ("cosine", "euclidean")
MININGS = ("all", "hard", "semi_hard")
_FAR = 1e9


@keras.saving.register_keras_serializable(package="keras_transformer")
class TripletMargin(RecordedLayer):
    """An anchor must be nearer to its positive than to its negative, by a margin.

    Known as TripletLoss in sentence-transformers.

    Args:
        margin: by how much.
        distance: "cosine", which is 1 - cosine, or "euclidean", of the vectors as they are.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: three of (B, D): anchors, positives, negatives.
        targets: not looked at.

    Returns:
        The mean of max(0, d(anchor, positive) - d(anchor, negative) + margin), a float32 scalar.

    Raises:
        ValueError: for a margin of 0 or less and an unknown distance.

    References:
        Reimers and Gurevych, 2019, "Sentence-BERT", section 3: the triplet objective.

    Example:
        >>> objective = keras_transformer.training.TripletMargin(margin=0.5)
        >>> float(objective([np.eye(2), np.eye(2), np.eye(2)[[1, 1]]], np.zeros(2)))  # 0 - 1 + 0.5, and 0 - 0 + 0.5
        0.25
    """

    def __init__(self, margin: float = 0.2, distance: str = "cosine", **kwargs: Any):
        super().__init__(**kwargs)
        self.margin = arguments.positive_number("margin", margin)
        self.distance = arguments.one_of("distance", distance, DISTANCES)

    def build(self, vectors_shape: Sequence[Shape], targets_shape: Shape | None = None) -> None:
        self.unit_normalization = UnitNormalization(name="unit_normalization")

    def call(self, vectors: Sequence[Tensor], targets: Tensor, training: bool | None = None) -> Tensor:
        anchors, positives, negatives = [ops.cast(vector, "float32") for vector in vectors]
        return ops.mean(
            ops.relu(self._distances(anchors, positives) - self._distances(anchors, negatives) + self.margin)
        )

    def _distances(self, u, v):
        if self.distance == "cosine":
            return 1.0 - ops.sum(self.unit_normalization(u) * self.unit_normalization(v), axis=-1)
        return _root(ops.sum(ops.square(u - v), axis=-1))


@keras.saving.register_keras_serializable(package="keras_transformer")
class ClassTriplets(RecordedLayer):
    """Texts of one label must be nearer to each other than to those of other labels: triplets found in the batch.

    Known as BatchAllTripletLoss, BatchHardTripletLoss, BatchSemiHardTripletLoss and, without a margin,
    BatchHardSoftMarginTripletLoss in sentence-transformers.

    Args:
        mining: "all" triplets that violate the margin, in the mean; "hard": of each anchor the furthest positive and
            the nearest negative, in the mean over anchors that have both; "semi_hard": of each anchor and positive the
            nearest negative that is further away than the positive, or where there is none the furthest one, in the
            mean over positives.
        margin: by how much; `None` for the smooth log(1 + exp(difference)) in place of max(0, difference + margin).
        distance: "cosine", which is 1 - cosine, or "euclidean", of the vectors as they are.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: one of (B, D).
        labels: integer (B,).

    Returns:
        The mean, a float32 scalar; 0 where no triplet is in the batch.

    Raises:
        ValueError: for an unknown mining or distance, a margin of 0 or less, and `None` with "all", where every triplet
            would count.

    References:
        Schroff et al., 2015, "FaceNet", section 3.2 (semi-hard); Hermans et al., 2017, "In Defense of the Triplet Loss
        for Person Re-Identification", section 2 (all, hard, and the smooth margin).

    Example:
        >>> objective = keras_transformer.training.ClassTriplets("hard", margin=0.5)
        >>> float(objective([np.eye(2)[[0, 1, 1]]], np.array([7, 7, 8])))  # 1 - 1 + 0.5, and 1 - 0 + 0.5
        1.0
    """

    def __init__(self, mining: str = "semi_hard", margin: float | None = 0.2, distance: str = "cosine", **kwargs: Any):
        super().__init__(**kwargs)
        self.mining = arguments.one_of("mining", mining, MININGS)
        self.margin = None if margin is None else arguments.positive_number("margin", margin)
        self.distance = arguments.one_of("distance", distance, DISTANCES)
        if mining == "all" and margin is None:
            raise ValueError("Expected a margin with mining='all'. Received: margin=None")

    def build(self, vectors_shape: Sequence[Shape], labels_shape: Shape | None = None) -> None:
        self.unit_normalization = UnitNormalization(name="unit_normalization")

    def call(self, vectors: Sequence[Tensor], labels: Tensor, training: bool | None = None) -> Tensor:
        distances = self._distances(ops.cast(vectors[0], "float32"))
        is_same = labels[:, None] == labels[None, :]
        count = ops.shape(labels)[0]
        is_positive = ops.logical_and(is_same, ops.arange(count)[:, None] != ops.arange(count)[None, :])
        of_mining = {"all": self._all, "hard": self._hard, "semi_hard": self._semi_hard}
        return of_mining[self.mining](distances, is_positive, ops.logical_not(is_same))

    def _distances(self, vectors):
        if self.distance == "cosine":
            unit = self.unit_normalization(vectors)
            return 1.0 - ops.matmul(unit, ops.transpose(unit))
        squares = ops.sum(ops.square(vectors), axis=-1)
        products = ops.matmul(vectors, ops.transpose(vectors))
        return _root(squares[:, None] - 2.0 * products + squares[None, :])

    def _loss(self, differences):
        return ops.softplus(differences) if self.margin is None else ops.relu(differences + self.margin)

    def _all(self, distances, is_positive, is_negative):
        losses = self._loss(distances[:, :, None] - distances[:, None, :])
        counts = ops.logical_and(is_positive[:, :, None], is_negative[:, None, :])
        return _mean(losses, ops.logical_and(counts, losses > 1e-16))

    def _hard(self, distances, is_positive, is_negative):
        furthest = ops.max(ops.where(is_positive, distances, 0.0), axis=1)
        nearest = ops.min(ops.where(is_negative, distances, _FAR), axis=1)
        has_both = ops.logical_and(ops.any(is_positive, axis=1), ops.any(is_negative, axis=1))
        return _mean(self._loss(furthest - nearest), has_both)

    def _semi_hard(self, distances, is_positive, is_negative):
        is_further = ops.logical_and(is_negative[:, None, :], distances[:, None, :] > distances[:, :, None])
        nearest = ops.min(ops.where(is_further, distances[:, None, :], _FAR), axis=2)
        furthest = ops.max(ops.where(is_negative, distances, -_FAR), axis=1)
        chosen = ops.where(ops.any(is_further, axis=2), nearest, furthest[:, None])
        counts = ops.logical_and(is_positive, ops.any(is_negative, axis=1)[:, None])
        return _mean(self._loss(distances - chosen), counts)


def _root(squares):
    """The square root, with a zero gradient where it has none or rounding left something negative."""
    is_positive = squares > 1e-12
    return ops.where(is_positive, ops.sqrt(ops.where(is_positive, squares, 1.0)), 0.0)


def _mean(losses, counts):
    total = ops.sum(ops.where(counts, losses, 0.0))
    return total / ops.maximum(ops.sum(ops.cast(counts, "float32")), 1.0)
