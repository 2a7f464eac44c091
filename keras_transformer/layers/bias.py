import keras

from keras_transformer import arguments
from keras_transformer.layers.shaped_layer import ShapedLayer


@keras.saving.register_keras_serializable(package="keras_transformer")
class Bias(ShapedLayer):
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
    """

    def __init__(self, initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.initializer = keras.initializers.get(initializer)
        self.supports_masking = True

    def build(self, inputs_shape):
        width = arguments.known_width(self, inputs_shape)
        self.bias = self.add_weight(name="bias", shape=(width,), initializer=self.initializer)

    def call(self, inputs):
        return inputs + self.bias

    def get_config(self):
        return {**super().get_config(), "initializer": keras.initializers.serialize(self.initializer)}
