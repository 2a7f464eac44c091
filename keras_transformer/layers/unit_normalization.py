from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.base_layer import BaseLayer
from keras_transformer.ops import masks
from keras_transformer.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class UnitNormalization(BaseLayer):
    """L2 normalization: divides vectors by their Euclidean length, in float32.

    Unlike `keras.layers.UnitNormalization` it leaves the zero vector zero in every dtype, with a zero gradient: under
    float16 the small constant that guards the division vanishes, and one empty text would spoil a whole model.

    Args:
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (..., D), floating. Padding may hold anything, NaN and infinity too.

    Returns:
        (..., D), float32 whatever the policy, since rounding would change the length.

    Raises:
        ValueError: for inputs whose last dimension is unknown.

    Example:
        >>> layer = keras_transformer.layers.UnitNormalization()
        >>> np.asarray(layer(np.array([[3.0, 4.0], [0.0, 0.0]])))
        array([[0.6, 0.8],
               [0. , 0. ]], dtype=float32)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, inputs_shape: Shape) -> None:
        arguments.known_width(self, inputs_shape)

    def call(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        x = masks.zero_padding(ops.cast(inputs, "float32"), mask)
        squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
        # The inner condition keeps the gradient of the branch not taken finite.
        inverse = ops.where(squares > 0, ops.rsqrt(ops.where(squares > 0, squares, 1.0)), 0.0)
        return x * inverse
