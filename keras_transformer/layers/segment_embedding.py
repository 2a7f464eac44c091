from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.base_layer import BaseLayer
from keras_transformer.types import Initializer, Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class SegmentEmbedding(BaseLayer):
    """Adds a learned vector for the segment that each position belongs to, as BERT does: a pair of texts has two.

    Args:
        num_segments: rows of the table.
        initializer: of the table; by default zeros, so that an encoder that knew no segments begins as it was.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), floating. Their mask is passed on.
        segment_ids: integers (B, T), from 0 to `num_segments` - 1. Others count as the nearest of these: the padding
            may hold anything.

    Returns:
        (B, T, D) in the compute dtype.

    Raises:
        ValueError: for a number of segments below 1, and inputs of another rank.

    References:
        Devlin et al., 2019, "BERT", section 3 and figure 2.

    Example:
        >>> layer = keras_transformer.layers.SegmentEmbedding(initializer=keras.initializers.Constant(2.0))
        >>> np.asarray(layer(np.zeros((1, 3, 1)), np.array([[0, 0, 1]])))[0, :, 0]
        array([2., 2., 2.], dtype=float32)
    """

    def __init__(self, num_segments: int = 2, initializer: Initializer = "zeros", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_segments = arguments.positive_integer("num_segments", num_segments)
        self.initializer = keras.initializers.get(initializer)
        self.supports_masking = True

    def build(self, inputs_shape: Shape, segment_ids_shape: Shape | None = None) -> None:
        width = arguments.known_width(self, inputs_shape, rank=3)
        self.embeddings = self.add_weight(
            name="embeddings", shape=(self.num_segments, width), initializer=self.initializer
        )

    def call(self, inputs: Tensor, segment_ids: Tensor) -> Tensor:
        segment_ids = ops.clip(ops.cast(segment_ids, "int32"), 0, self.num_segments - 1)
        return inputs + ops.cast(ops.take(self.embeddings, segment_ids, axis=0), inputs.dtype)
