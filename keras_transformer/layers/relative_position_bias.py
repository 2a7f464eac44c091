from typing import Any

import keras
import numpy as np
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.base_layer import BaseLayer
from keras_transformer.types import Initializer, Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class RelativePositionBias(BaseLayer):
    """A learned number for each head and each distance between query and key, to be added to attention scores.

    Distances share numbers in buckets, one set of them for keys before the query and one for keys behind it: half of
    a set is for the distances 0, 1, 2, ..., the other half for ranges that grow with the logarithm up to
    `max_distance`; what is farther is in the last bucket. One layer serves all blocks, as in MPNet.

    Args:
        num_heads: number of heads H.
        num_buckets: rows of the table, a multiple of 4.
        max_distance: from this distance on all are in the last bucket.
        initializer: of the table; by default normal with standard deviation 0.02.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), of which only the length T counts.

    Returns:
        (1, H, T, T), float32 whatever the policy, as scores are.

    Raises:
        ValueError: for sizes below 1, buckets that are no multiple of 4, a `max_distance` within the buckets of
            single distances.

    References:
        Raffel et al., 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer",
        section 2.1; Song et al., 2020, "MPNet".

    Example:
        >>> layer = keras_transformer.layers.RelativePositionBias(num_heads=2)
        >>> layer(np.zeros((1, 5, 4))).shape
        TensorShape([1, 2, 5, 5])
    """

    def __init__(
        self,
        num_heads: int,
        num_buckets: int = 32,
        max_distance: int = 128,
        initializer: Initializer = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = arguments.positive_integer("num_heads", num_heads)
        self.num_buckets = arguments.positive_integer("num_buckets", num_buckets)
        self.max_distance = arguments.positive_integer("max_distance", max_distance)
        self.initializer = keras.initializers.get(initializer or keras.initializers.RandomNormal(stddev=0.02))
        self.supports_masking = True
        if self.num_buckets % 4:
            raise ValueError(f"Expected a multiple of 4. Received: num_buckets={num_buckets}")
        if self.max_distance <= self.num_buckets // 4:
            raise ValueError(f"Expected max_distance above num_buckets / 4. Received: max_distance={max_distance}")

    def build(self, inputs_shape: Shape) -> None:
        self.embeddings = self.add_weight(
            name="embeddings", shape=(self.num_buckets, self.num_heads), initializer=self.initializer
        )

    def call(self, inputs: Tensor) -> Tensor:
        positions = ops.arange(ops.shape(inputs)[1], dtype="int32")
        offsets = ops.clip(positions[None, :] - positions[:, None], -self.max_distance, self.max_distance)
        table = _buckets(self.num_buckets, self.max_distance)
        bias = ops.take(self.embeddings, ops.take(table, offsets + self.max_distance), axis=0)
        return ops.cast(ops.transpose(bias, (2, 0, 1)), "float32")[None]

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor = None) -> None:
        # The outputs are of pairs of positions, and the same for all sequences.
        return None

    def compute_output_shape(self, inputs_shape: Shape) -> Shape:
        return (1, self.num_heads, inputs_shape[1], inputs_shape[1])


def _buckets(num_buckets, max_distance):
    """The buckets of the offsets key - query = -max_distance ... max_distance, int32."""
    num_on_a_side, num_single = num_buckets // 2, num_buckets // 4
    distances = np.arange(max_distance + 1, dtype="float32")
    # In float32, as the models that learned with it computed it.
    ratio = np.log(np.maximum(distances, 1) / np.float32(num_single)) / np.float32(np.log(max_distance / num_single))
    shared = num_single + (ratio * np.float32(num_on_a_side - num_single)).astype("int32")
    before = np.where(distances < num_single, distances, np.minimum(shared, num_on_a_side - 1)).astype("int32")
    return np.concatenate([before[:0:-1], before[:1], before[1:] + num_on_a_side])
