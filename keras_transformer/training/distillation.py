"""What a sentence encoder learns from another one's vectors: an objective, as those of `objectives`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import UnitNormalization
from keras_transformer.layers.base_layer import RecordedLayer
from keras_transformer.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class TeacherVectors(RecordedLayer):
    """A sentence's vector must point where the teacher's does, through a projection where their widths differ.

    Also known as distillation of embeddings (EmbedDistill). With `similarities` the cosines between the texts of a
    batch must be the teacher's as well; with `prefixes` also those of the first numbers of the vectors alone, so that
    vectors may be cut (Matryoshka representation learning).

    Args:
        similarities: weight of the mean squared difference between cosines, beside 1 for the vectors.
        prefixes: numbers of leading entries of the vectors that must have these cosines too; only with `similarities`.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: one of (B, D).
        wanted: floating (B, width of the teacher's vectors).

    Returns:
        The mean of 1 - cosine, and `similarities` times the mean over all pairs of texts, and over D and `prefixes`, of
        (cosine - the teacher's cosine)^2: a float32 scalar.

    Raises:
        ValueError: for sizes that are not positive, `prefixes` without `similarities` or of more than D.

    References:
        Reimers and Gurevych, 2020, "Making Monolingual Sentence Embeddings Multilingual using Knowledge
        Distillation", section 2, with the cosine for the squared error; Park et al., 2019, "Relational Knowledge
        Distillation"; Kusupati et al., 2022, "Matryoshka Representation Learning".

    Example:
        >>> float(keras_transformer.training.TeacherVectors()([np.array([[2.0, 0.0]])], np.array([[0.0, 1.0]])))
        1.0
    """

    def __init__(self, *, similarities: float = 0.0, prefixes: Sequence[int] = (), **kwargs: Any):
        super().__init__(**kwargs)
        self.similarities = arguments.non_negative_number("similarities", similarities)
        self.prefixes = tuple(arguments.positive_integer("prefixes", prefix) for prefix in prefixes)
        if self.prefixes and not self.similarities:
            raise ValueError(f"Expected similarities above 0 with prefixes. Received: prefixes={self.prefixes}")

    def build(self, vectors_shape: Sequence[Shape], wanted_shape: Shape) -> None:
        width, teacher_width = vectors_shape[0][-1], wanted_shape[-1]
        if self.prefixes and max(self.prefixes) > width:
            raise ValueError(f"Expected prefixes of at most {width} numbers. Received: prefixes={self.prefixes}")
        self.unit_normalization = UnitNormalization(name="unit_normalization")
        self.projection = None
        if width != teacher_width:
            self.projection = keras.layers.Dense(teacher_width, use_bias=False, name="projection")
            self.projection.build((None, width))

    def call(self, vectors: Sequence[Tensor], wanted: Tensor, training: bool | None = None) -> Tensor:
        (found,) = vectors
        found = ops.cast(found, "float32")
        projected = self.projection(found) if self.projection else found
        wanted = self.unit_normalization(ops.cast(wanted, "float32"))
        loss = ops.mean(1.0 - ops.sum(self.unit_normalization(projected) * wanted, axis=-1))
        if self.similarities:
            loss = loss + self.similarities * self._of_similarities(found, wanted)
        return loss

    def _of_similarities(self, found, wanted):
        of_teacher = ops.matmul(wanted, ops.transpose(wanted))
        losses = []
        for width in (found.shape[-1], *self.prefixes):
            unit = self.unit_normalization(found[:, :width])
            losses.append(ops.mean(ops.square(ops.matmul(unit, ops.transpose(unit)) - of_teacher)))
        return sum(losses) / len(losses)
