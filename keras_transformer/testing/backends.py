"""What Keras leaves to its backends: compiled calls, graphs of unknown shape, gradients."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from keras_transformer.types import Tensor


def compiled(
    layer: keras.layers.Layer, options: Mapping[str, Any], jit_compile: bool
) -> Callable[[Mapping[str, Tensor]], Tensor]:
    """Returns the function arguments -> `layer(**arguments, **options)` as one graph.

    Args:
        layer: a built layer.
        options: call arguments that are not tensors.
        jit_compile: whether XLA compiles the graph. On JAX it always does.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        graph = tf.function(lambda tensors: layer(**tensors, **options), jit_compile=jit_compile, autograph=False)
        return lambda arguments: graph(_tensors(arguments))
    import jax

    graph = jax.jit(lambda variables, tensors: layer.stateless_call(*variables, **tensors, **options)[0])
    return lambda arguments: graph(_state(layer), _tensors(arguments))


def dynamic_call(layer: keras.layers.Layer, arguments: Mapping[str, Tensor], options: Mapping[str, Any]) -> Tensor:
    """Returns `layer(**arguments, **options)` of a TensorFlow graph with unknown batch size and length."""
    import tensorflow as tf

    tensors = _tensors(arguments)
    signature = {
        name: tf.TensorSpec([None, None] + list(tensor.shape[2:]), tensor.dtype) for name, tensor in tensors.items()
    }
    graph = tf.function(lambda tensors: layer(**tensors, **options), input_signature=[signature], autograph=False)
    return graph(tensors)


def gradients(
    layer: keras.layers.Layer,
    arguments: Mapping[str, Tensor],
    options: Mapping[str, Any],
    loss: Callable[[Tensor], Tensor],
) -> dict[str, np.ndarray]:
    """Returns {path of weight: gradient of `loss(outputs)`}, zeros for weights without a gradient."""
    weights = layer.trainable_weights
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = loss(layer(**_tensors(arguments), **options))
        found = tape.gradient(value, [w.value for w in weights], unconnected_gradients="zero")
        found = [tf.convert_to_tensor(gradient) for gradient in found]
    else:
        import jax

        def value_of(trainable: list[Tensor], others: list[Tensor], tensors: Mapping[str, Tensor]) -> Tensor:
            return loss(layer.stateless_call(trainable, others, **tensors, **options)[0])

        found = jax.grad(value_of)(*_state(layer), _tensors(arguments))
    return {w.path: np.asarray(gradient) for w, gradient in zip(weights, found)}


def _tensors(arguments: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: keras.ops.convert_to_tensor(value) for name, value in arguments.items()}


def _state(layer: keras.layers.Layer) -> tuple[list[Tensor], list[Tensor]]:
    return (
        [v.value for v in layer.trainable_variables],
        [v.value for v in layer.non_trainable_variables],
    )
