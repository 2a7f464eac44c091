"""Vectors that may be cut: any objective, of their first numbers alone as well."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import UnitNormalization
from keras_transformer.layers.base_layer import RecordedLayer
from keras_transformer.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class Matryoshka(RecordedLayer):
    """What an objective asks of the vectors must hold for their first numbers too, so that vectors may be cut.

    Known as MatryoshkaLoss in sentence-transformers. Each width has a copy of the objective, with networks of its own
    where the objective has any. Cut vectors are of length 1 again, as `truncated` makes them.

    Args:
        objective: a layer from vectors and targets to a loss, as those of `keras_transformer.training`.
        widths: numbers of leading entries, beside the full width.
        weights: of the losses of `widths`, beside 1 for the full width; by default 1 each.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: a list of (B, D).
        targets: what the objective takes.

    Returns:
        The weighted sum of the losses, a float32 scalar.

    Raises:
        ValueError: without widths, for widths that are not positive, occur twice or are not below D; for another number
            of weights.

    References:
        Kusupati et al., 2022, "Matryoshka Representation Learning".

    Example:
        >>> from keras_transformer import training
        >>> objective = training.Matryoshka(training.SimilarityRegression(), widths=[1])
        >>> u, v = np.array([[0.6, 0.8]]), np.array([[0.6, -0.8]])  # cosines -0.28, and 1 of the first numbers
        >>> round(float(objective([u, v], np.array([1.0]))), 4)  # 1.28^2 + 0
        1.6384
    """

    def __init__(
        self,
        objective: keras.layers.Layer,
        widths: Sequence[int],
        weights: Sequence[float] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.widths = [arguments.positive_integer("widths", width) for width in widths]
        if not self.widths or len(set(self.widths)) < len(self.widths):
            raise ValueError(f"Expected different widths, at least one. Received: widths={self.widths}")
        # `weights` is a name of Keras'.
        self.width_weights = [1.0] * len(self.widths) if weights is None else list(weights)
        if len(self.width_weights) != len(self.widths):
            raise ValueError(f"Expected {len(self.widths)} weights, one of each width. Received: {weights}")
        for weight in self.width_weights:
            arguments.positive_number("weights", weight)
        self.objective = objective
        self.copies = [
            type(objective).from_config({**objective.get_config(), "name": f"first_{width}"}) for width in self.widths
        ]

    def build(self, vectors_shape: Sequence[Shape], targets_shape: Shape) -> None:
        full = vectors_shape[0][-1]
        if max(self.widths) >= full:
            raise ValueError(f"Expected widths below {full}, that of the vectors. Received: widths={self.widths}")
        self.unit_normalization = UnitNormalization(name="unit_normalization")
        for width, objective in zip([full, *self.widths], [self.objective, *self.copies]):
            if not objective.built:
                objective.build([(*shape[:-1], width) for shape in vectors_shape], targets_shape)

    def call(self, vectors: Sequence[Tensor], targets: Tensor, training: bool | None = None) -> Tensor:
        loss = self.objective(vectors, targets, training=training)
        for width, weight, objective in zip(self.widths, self.width_weights, self.copies):
            cut = [self.unit_normalization(ops.cast(vector, "float32")[:, :width]) for vector in vectors]
            loss = loss + weight * objective(cut, targets, training=training)
        return loss

    def get_config(self) -> Config:
        config = keras.layers.Layer.get_config(self)
        objective = keras.saving.serialize_keras_object(self.objective)
        objective.pop("build_config", None)  # it is built with this layer
        return {**config, "objective": objective, "widths": self.widths, "weights": self.width_weights}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Matryoshka":
        return cls(**{**config, "objective": keras.saving.deserialize_keras_object(config["objective"])})
