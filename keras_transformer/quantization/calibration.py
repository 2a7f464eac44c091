"""Static quantization, calibrated on representative texts: observers that record inputs, and what is made of that."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_transformer.quantization.replaced_methods import layers_of, replaced_methods
from keras_transformer.types import Tensor

# The paper's alpha. Of 0.5, 0.75, 0.85 and 1 it changes MiniLM's vectors least.
_SMOOTHNESS = 0.75


@contextlib.contextmanager
def observed_inputs(model: keras.layers.Layer) -> Iterator[dict[keras.layers.Dense, np.ndarray]]:
    """A scope in which eager calls of the `Dense` layers in `model` record how large their inputs are.

    Args:
        model: a float model, or a layer, that is called in the scope with representative inputs.

    Yields:
        {layer: the largest absolute value of each channel (D,)} of the layers that were called, filled meanwhile.
    """
    largest: dict[keras.layers.Dense, np.ndarray] = {}
    dense = [layer for layer in layers_of(model) if type(layer) is keras.layers.Dense]
    with replaced_methods({layer: _observer(layer, largest) for layer in dense}, "call"):
        yield largest


def _observer(layer, largest):
    """`layer.call` that records its inputs in `largest` too."""
    call = layer.call

    def observe(inputs: Tensor, training: bool | None = None) -> Tensor:
        if not _is_traced():
            found = largest_inputs(inputs)
            largest[layer] = np.maximum(found, largest.get(layer, found))
        return call(inputs, training=training)

    return observe


def _is_traced():
    import tensorflow as tf

    return not tf.executing_eagerly()


def largest_inputs(inputs: Tensor) -> np.ndarray:
    """The largest absolute value of each channel (D,) of inputs (..., D); zeros if there are no rows."""
    rows = ops.abs(ops.cast(ops.reshape(inputs, (-1, inputs.shape[-1])), "float32"))
    return ops.convert_to_numpy(ops.max(rows, axis=0, initial=0.0))


def smoothing(largest: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Factors (D,) that divide the inputs and multiply the kernel's rows before both are quantized.

    They migrate outlier channels into the weights: one range for all channels would round the small ones to zero.

    Args:
        largest: the largest absolute input of each channel (D,).
        kernel: (D, F).

    References:
        Xiao et al., 2023, "SmoothQuant: Accurate and Efficient Post-Training Quantization for Large Language Models",
        section 4.
    """
    inputs, weights = largest, np.abs(kernel).max(axis=1)
    # Channels that were silent in the calibration may not be later.
    inputs, weights = (np.maximum(x, 0.01 * x.max() + keras.config.epsilon()) for x in (inputs, weights))
    return inputs**_SMOOTHNESS / weights ** (1 - _SMOOTHNESS)


class CalibratedCall:
    """In place of a quantized layer's `quantized_call`: its inputs are smoothed first, as its kernel was.

    Args:
        quantized_call: the layer's own.
        smoothing: (D,), by which the kernel was multiplied.
        input_range: the largest absolute value of smoothed inputs in the calibration.
    """

    def __init__(self, quantized_call: Callable[..., Tensor], smoothing: np.ndarray, input_range: float):
        self.input_factors = 1 / smoothing
        self.input_range = input_range
        self._quantized_call = quantized_call

    def smoothed(self, inputs: Tensor) -> Tensor:
        return inputs * ops.cast(self.input_factors, inputs.dtype)

    def __call__(self, inputs: Tensor, **kwargs: Any) -> Tensor:
        return self._quantized_call(self.smoothed(inputs), **kwargs)


def quantize_calibrated(layer: keras.layers.Dense, largest: np.ndarray, quantize: Callable[[], None]) -> None:
    """Smooths the kernel of a layer and quantizes it; afterwards the layer smooths its inputs, and cannot be saved.

    Args:
        layer: of floats, without LoRA.
        largest: the largest absolute input of each channel (D,).
        quantize: quantizes the layer.
    """
    factors = smoothing(largest, ops.convert_to_numpy(layer.kernel))
    layer.kernel.assign(layer.kernel * factors[:, None])
    quantize()

    def refuse(store):
        raise ValueError(f"Expected a layer without calibration, which a file cannot hold. Received: {layer.path}")

    layer.quantized_call = CalibratedCall(layer.quantized_call, factors, float((largest / factors).max()))
    layer.save_own_variables = refuse
