"""A layer under test, and what it is called with."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_transformer.types import Config, Tensor


@dataclasses.dataclass(frozen=True)
class LayerCase:
    """A layer and the inputs that `check_layer` calls it with.

    Args:
        layer_class: a subclass of `keras.layers.Layer`, registered as serializable.
        config: constructor arguments.
        inputs: {call argument: array (B, length, ...)}. The first is named "inputs"; B is at least 2 and lengths
            are at least 4. The layer is checked in lower precisions too.
        padding: {name in `inputs`: call argument that takes its explicit padding mask}.
        causal: whether position t of the outputs may depend on positions up to t of `inputs` only.
        options: further call arguments, which are not tensors.
        pooled: whether the outputs have no length axis.
        output_dtype: the outputs' dtype under every policy. `None`: the compute dtype.

    Example:
        >>> from keras_transformer.layers import FeedForward
        >>> from keras_transformer.testing import LayerCase
        >>> x = np.ones((3, 5, 4), "float32")
        >>> case = LayerCase(FeedForward, {"intermediate_dim": 7}, {"inputs": x}, {"inputs": "padding_mask"})
        >>> case.call(case.layer(), case.inputs).shape
        (3, 5, 4)
    """

    layer_class: type[keras.layers.Layer]
    config: Config
    inputs: Mapping[str, np.ndarray]
    padding: Mapping[str, str] = dataclasses.field(default_factory=dict)
    causal: bool = False
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    pooled: bool = False
    output_dtype: str | None = None

    def layer(self, **kwargs: Any) -> keras.layers.Layer:
        """Returns a built layer. All its weights are random: zeros and ones would hide errors."""
        layer = self.layer_class(**self.config, **kwargs)
        self.call(layer, self.inputs)
        generator = np.random.default_rng(7)
        for weight in layer.weights:
            if weight.dtype.startswith(("float", "bfloat")):
                scale = 0.3 / np.sqrt(max(1, weight.shape[0])) if len(weight.shape) > 1 else 0.3
                noise = generator.normal(size=weight.shape) * scale
                weight.assign(weight + keras.ops.cast(noise, weight.dtype))
        return layer

    def call(self, layer: keras.layers.Layer, inputs: Mapping[str, Tensor], **kwargs: Any) -> np.ndarray:
        """Returns the layer's outputs as float32, without Keras' mask."""
        return to_numpy(layer(**inputs, **self.options, **kwargs))


def to_numpy(outputs: Tensor) -> np.ndarray:
    """Returns a tensor of any dtype as a float32 array."""
    return keras.ops.convert_to_numpy(keras.ops.cast(outputs, "float32"))


def copy_weights(source: keras.layers.Layer, target: keras.layers.Layer) -> keras.layers.Layer:
    """Returns `target`, which then has the weights of `source` in its own dtypes."""
    for weight, other in zip(target.weights, source.weights):
        weight.assign(other)
    return target


def tolerance(policy: str) -> float:
    """The largest absolute error that rounding under a dtype policy explains."""
    return {"float32": 1e-5, "mixed_bfloat16": 0.12, "mixed_float16": 0.02}[policy]
