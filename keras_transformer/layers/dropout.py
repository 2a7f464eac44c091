import keras

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
        import tensorflow as tf

        size = tf.size(inputs)
        words = tf.random.stateless_uniform(
            [(size + 1) // 2], tf.cast(self.seed_generator.next(), tf.int32), None, None, tf.int32
        )
        draws = tf.reshape(tf.bitcast(words, tf.uint16), [-1])[:size]
        dropped = min(round(self.rate * 65536), 65535)
        kept = tf.cast(tf.reshape(draws, tf.shape(inputs)) >= tf.constant(dropped, tf.uint16), inputs.dtype)
        outputs = inputs * (kept * tf.cast(65536 / (65536 - dropped), inputs.dtype))
        outputs.set_shape(inputs.shape)
        return outputs
