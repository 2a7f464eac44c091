"""The three things that Keras leaves to its backends: compiled calls, graphs of unknown shape, gradients."""

import keras
import numpy as np


def compiled_call(layer, arguments, options, jit_compile):
    """The outputs of `layer(**arguments, **options)`, run as one graph, with `jit_compile` (on JAX always) by XLA."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda tensors: layer(**tensors, **options), jit_compile=jit_compile)(_tensors(arguments))
    import jax

    def call(variables, tensors):
        return layer.stateless_call(*variables, **tensors, **options)[0]

    return jax.jit(call)(_state(layer), _tensors(arguments))


def dynamic_call(layer, arguments, options):
    """The outputs of `layer(**arguments, **options)` in a TensorFlow graph that knows neither batch size nor length."""
    import tensorflow as tf

    tensors = _tensors(arguments)
    signature = {
        name: tf.TensorSpec([None, None] + list(tensor.shape[2:]), tensor.dtype) for name, tensor in tensors.items()
    }
    return tf.function(lambda tensors: layer(**tensors, **options), input_signature=[signature])(tensors)


def gradients(layer, arguments, options, loss):
    """{path of weight: gradient of `loss(outputs)`} as NumPy arrays, zeros where there is none."""
    weights = layer.trainable_weights
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = loss(layer(**_tensors(arguments), **options))
        found = tape.gradient(value, [w.value for w in weights], unconnected_gradients="zero")
        found = [tf.convert_to_tensor(gradient) for gradient in found]
    else:
        import jax

        def value_of(trainable, others, tensors):
            return loss(layer.stateless_call(trainable, others, **tensors, **options)[0])

        found = jax.grad(value_of)(*_state(layer), _tensors(arguments))
    return {w.path: np.asarray(gradient) for w, gradient in zip(weights, found)}


def _tensors(arguments):
    return {name: keras.ops.convert_to_tensor(value) for name, value in arguments.items()}


def _state(layer):
    return (
        [v.value for v in layer.trainable_variables],
        [v.value for v in layer.non_trainable_variables],
    )
