"""Weights as constants of a graph."""

import keras
import tensorflow as tf

_LARGEST = 2**31 - 1  # bytes of a graph's file, which is one protocol buffer


def frozen_weights(variables):
    """A scope in which `variables` are constants: a `tf.function` that is traced in it holds no variables.

    The functions of one scope share the constants, and a SavedModel of them stores each once.

    Args:
        variables: `keras.Variable`s, as they are now.

    Returns:
        The scope, a context manager.

    Raises:
        ValueError: for 2 GiB of weights or more, which no graph can hold.
    """
    with tf.init_scope():
        constants = [(variable, tf.identity(variable.value)) for variable in variables]
    size = sum(constant.dtype.size * constant.shape.num_elements() for _, constant in constants)
    if size > _LARGEST:
        raise ValueError(f"Expected less than 2 GiB of weights to freeze. Received: {size:,} bytes")
    return keras.StatelessScope(constants)
