"""Dropout with half the random numbers. Calls TensorFlow's `stateless_uniform`."""

from keras_transformer.types import Tensor


def dropout_of_words(inputs: Tensor, rate: float, seed: Tensor) -> Tensor:
    """`inputs` with a fraction of zeros, the rest scaled up: two 16-bit random numbers from each 32-bit word.

    On a processor drawing them is what dropout costs. Only for TensorFlow.

    Args:
        inputs: floating, of any shape.
        rate: the fraction, kept to 1/131,072.
        seed: integers (2,).
    """
    import tensorflow as tf

    size = tf.size(inputs)
    words = tf.random.stateless_uniform([(size + 1) // 2], tf.cast(seed, tf.int32), None, None, tf.int32)
    draws = tf.reshape(tf.bitcast(words, tf.uint16), [-1])[:size]
    dropped = min(round(rate * 65536), 65535)
    kept = tf.cast(tf.reshape(draws, tf.shape(inputs)) >= tf.constant(dropped, tf.uint16), inputs.dtype)
    outputs = inputs * (kept * tf.cast(65536 / (65536 - dropped), inputs.dtype))
    outputs.set_shape(inputs.shape)
    return outputs
