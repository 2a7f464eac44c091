"""oneDNN's int8 matrix multiplication in place of Keras', for the time in which a graph is traced."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_transformer.quantization import int8_matmul
from keras_transformer.quantization.calibration import CalibratedCall
from keras_transformer.quantization.replaced_methods import layers_of, replaced_methods
from keras_transformer.types import Tensor


@contextlib.contextmanager
def fused_kernels(model: keras.layers.Layer) -> Iterator[None]:
    """A scope in which the quantized layers of `model` multiply by oneDNN.

    Only for tracing graphs in which the weights are constants (`keras_transformer.export.frozen_weights`). XLA has no
    such operation: what it compiles is traced in a scope of `keras_kernels`.

    Layers keep Keras' multiplication if they are not quantized to int8 as `quantize_int8` does it (another
    activation quantizer, weights beyond [-64, 64], which not every processor multiplies exactly), have LoRA, or if
    TensorFlow is not one for x86 processors.

    Args:
        model: whose weights are all frozen, and whose layers are changed meanwhile: nothing else may call it.
    """
    classes = {keras.layers.Dense: FusedDense, keras.layers.ReversibleEmbedding: FusedLogits}
    layers = [layer for layer in layers_of(model) if type(layer) in classes]
    calls = {layer: classes[type(layer)](layer) for layer in layers if _can_fuse(layer)}
    slow = [layer.path for layer in layers if layer.quantization_mode == "int8" and layer not in calls]
    if slow:
        warnings.warn(
            f"Expected int8 layers as quantize_int8 makes them. {len(slow)} of them keep Keras' slow multiplication: "
            f"{slow[0]} for example",
            stacklevel=4,
        )
    with replaced_methods(calls, "quantized_call"):
        yield


@contextlib.contextmanager
def keras_kernels(model: keras.layers.Layer) -> Iterator[None]:
    """A scope, inside one of `fused_kernels`, in which the layers of `model` multiply as Keras does again."""
    found = {layer: vars(layer).get("quantized_call") for layer in layers_of(model)}
    calls = {layer: call.quantized_call for layer, call in found.items() if isinstance(call, (FusedDense, FusedLogits))}
    with replaced_methods(calls, "quantized_call"):
        yield


class FusedDense:
    """In place of the `quantized_call` of a `Dense`."""

    def __init__(self, layer: keras.layers.Dense) -> None:
        self.layer = layer
        self.quantized_call = layer.quantized_call

    def __call__(self, inputs: Tensor, **kwargs: Any) -> Tensor:
        layer = self.layer
        is_calibrated = isinstance(self.quantized_call, CalibratedCall)
        if is_calibrated:
            inputs = self.quantized_call.smoothed(inputs)
        weights = layer.kernel, layer.kernel_scale
        if is_calibrated and int8_matmul.has_activation(layer.activation):
            outputs = int8_matmul.static_matmul(
                inputs, self.quantized_call.input_range, *weights, layer.bias, layer.activation
            )
            return ops.cast(outputs, layer.compute_dtype)
        outputs = ops.cast(int8_matmul.dynamic_matmul(inputs, *weights), layer.compute_dtype)
        outputs = outputs if layer.bias is None else ops.add(outputs, layer.bias)
        activation = _gelu if layer.activation is keras.activations.gelu else layer.activation
        return outputs if activation is None else activation(outputs)


class FusedLogits:
    """In place of the `quantized_call` of a `ReversibleEmbedding`, for logits of a tied table."""

    def __init__(self, layer: keras.layers.ReversibleEmbedding) -> None:
        self.layer = layer
        self.quantized_call = layer.quantized_call

    def __call__(self, inputs: Tensor, reverse: bool = False, **kwargs: Any) -> Tensor:
        if not reverse:
            return self.quantized_call(inputs, **kwargs)
        layer = self.layer
        logits = int8_matmul.dynamic_matmul(inputs, layer.embeddings, layer.embeddings_scale, transposed=True)
        return ops.cast(logits, layer.compute_dtype)


def _gelu(x):
    """On TensorFlow in half the time of Keras' own, which calls erfc."""
    return 0.5 * x * (1.0 + ops.erf(x * 0.5**0.5))


def _can_fuse(layer) -> bool:
    """Whether `int8_matmul` gives what the quantized layer gives, on any processor that the graph may come to."""
    if layer.quantization_mode != "int8" or layer.lora_enabled or not int8_matmul.is_available():
        return False
    quantizer = layer.inputs_quantizer
    is_default = isinstance(quantizer, keras.quantizers.AbsMaxQuantizer) and tuple(quantizer.value_range) == (-127, 127)
    is_embedding = isinstance(layer, keras.layers.ReversibleEmbedding)
    if not is_default or (is_embedding and not (layer.tie_weights and layer.logit_soft_cap is None)):
        return False
    kernel = layer.embeddings if is_embedding else layer.kernel
    return np.abs(ops.convert_to_numpy(kernel).astype("int16")).max() <= int8_matmul.LARGEST_WEIGHT
