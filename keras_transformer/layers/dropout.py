import keras

from keras_transformer.ops.dropout import dropout_of_words
from keras_transformer.types import Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class Dropout(keras.layers.Dropout):
    """`keras.layers.Dropout` with half the random numbers: on TensorFlow, two 16-bit ones from each word.

    On a processor drawing them is what dropout costs. The rate is kept to 1/131,072. Other backends
    run Keras' own.

    Example:
        >>> layer = keras_transformer.layers.Dropout(0.5, seed=1)
        >>> sorted(set(np.ravel(layer(np.ones(100), training=True)).tolist()))
        [0.0, 2.0]
    """

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        if not training or self.rate == 0 or self.noise_shape or keras.config.backend() != "tensorflow":
            return super().call(inputs, training=training)
        return dropout_of_words(inputs, self.rate, self.seed_generator.next())
