"""Freezing: weights as constants of a graph."""

from collections.abc import Sequence

import keras
import tensorflow as tf

_LARGEST = 2**31 - 1  # bytes of a graph's file, which is one protocol buffer


def frozen_weights(variables: Sequence[keras.Variable]) -> keras.StatelessScope:
    """A scope in which `variables` are constants: a `tf.function` that is traced in it holds no variables.

    The functions of one scope share the constants, and a SavedModel of them stores each once.

    Args:
        variables: `keras.Variable`s, as they are now.

    Returns:
        The scope, a context manager.

    Raises:
        ValueError: for 2 GiB of weights or more, which no graph can hold.

    Example:
        >>> import tensorflow as tf
        >>> from keras_transformer.export import frozen_weights
        >>> dense = keras.layers.Dense(2)
        >>> dense.build((None, 3))
        >>> with frozen_weights(dense.variables):
        ...     graph = tf.function(dense, input_signature=[tf.TensorSpec([None, 3])]).get_concrete_function()
        >>> graph.variables
        ()
    """
    with tf.init_scope():
        constants = [(variable, tf.identity(variable.value)) for variable in variables]
    size = sum(constant.dtype.size * constant.shape.num_elements() for _, constant in constants)
    if size > _LARGEST:
        raise ValueError(f"Expected less than 2 GiB of weights to freeze. Received: {size:,} bytes")
    return _Constants(constants)


class _Constants(keras.StatelessScope):
    """Gives each variable's value as the result of a function that holds it as a constant node.

    A captured tensor would be an argument of the graph, which in a loaded SavedModel is no constant: oneDNN would
    reorder the matrices at each multiplication. A constant node in each graph would be stored
    once for each. A function is stored once, and is put in place of its calls when the graph is made ready to run.
    """

    def __init__(self, constants):
        super().__init__(constants)
        self._functions, self._values = {}, {}

    def get_current_value(self, variable):
        eager = super().get_current_value(variable)
        if eager is None or tf.executing_eagerly():
            return eager
        graph, key = tf.compat.v1.get_default_graph(), id(variable)
        if key not in self._functions:
            array = eager.numpy()
            self._functions[key] = tf.function(
                lambda: tf.constant(array), input_signature=[], autograph=False
            ).get_concrete_function()
        # Graphs are kept too, so that none has the identity of one that is gone.
        if (id(graph), key) not in self._values:
            self._values[id(graph), key] = graph, self._functions[key]()
        return self._values[id(graph), key][1]
