from typing import Any

import keras

from keras_transformer import arguments
from keras_transformer.layers.base_layer import BaseLayer
from keras_transformer.types import Initializer, Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class Bias(BaseLayer):
    """Adds a learned vector, as to logits whose matrix is shared with an embedding.

    Args:
        initializer: of the vector.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (..., D), floating. Their mask is passed on.

    Returns:
        (..., D) in the compute dtype.

    Raises:
        ValueError: for inputs whose last dimension is unknown.

    Example:
        >>> layer = keras_transformer.layers.Bias(initializer="ones")
        >>> np.asarray(layer(np.zeros((1, 3))))
        array([[1., 1., 1.]], dtype=float32)
    """

    def __init__(self, initializer: Initializer = "zeros", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initializer = keras.initializers.get(initializer)
        self.supports_masking = True

    def build(self, inputs_shape: Shape) -> None:
        width = arguments.known_width(self, inputs_shape)
        self.bias = self.add_weight(name="bias", shape=(width,), initializer=self.initializer)

    def call(self, inputs: Tensor) -> Tensor:
        return inputs + self.bias
