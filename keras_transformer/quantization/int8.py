"""Weights in int8, as many steps as every processor multiplies exactly."""

import contextlib
import functools
import gc
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from keras_transformer.quantization.calibration import quantize_calibrated
from keras_transformer.quantization.int8_matmul import LARGEST_WEIGHT
from keras_transformer.quantization.replaced_methods import layers_of, replaced_methods


def quantize_int8(
    model: keras.Model,
    config: keras.quantizers.Int8QuantizationConfig | None = None,
    largest_inputs: Mapping[keras.layers.Dense, np.ndarray] | None = None,
    **kwargs: Any,
) -> None:
    """`keras.Model.quantize("int8")` with weights that a frozen export multiplies fast.

    The weights of `Dense` layers, and of a `ReversibleEmbedding` that is tied, are quantized to [-64, 64] instead of
    [-127, 127]; `keras_transformer.quantization.int8_matmul` says why.

    Args:
        model: a built model, changed in place.
        config: as for Keras. One that has a weight quantizer is left as it is.
        largest_inputs: what `observed_inputs` recorded, for static quantization. The layers that it names cannot be
            saved afterwards.
        **kwargs: `filters` of `keras.Model.quantize`.

    Raises:
        ValueError: for a model that is quantized already or not built.

    Example:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> keras_transformer.quantization.quantize_int8(model)
        >>> int(np.abs(model.layers[0].kernel).max())
        64
    """
    largest_inputs = largest_inputs or {}
    axes = {keras.layers.Dense: 0, keras.layers.ReversibleEmbedding: -1}
    layers = [layer for layer in layers_of(model) if type(layer) in axes and getattr(layer, "tie_weights", True)]
    methods = {layer: _exact_quantize(layer, axes[type(layer)], largest_inputs.get(layer)) for layer in layers}
    with replaced_methods(methods, "quantize"), _small_collections():
        keras.Model.quantize(model, "int8", config or keras.quantizers.Int8QuantizationConfig(), **kwargs)


class QuantizesToInt8:
    """In front of `keras.Model` among the bases of a class: its `quantize("int8")` is `quantize_int8`.

    Example:
        >>> class Scores(keras_transformer.quantization.QuantizesToInt8, keras.Sequential):
        ...     pass
        >>> model = Scores([keras.Input((3,)), keras.layers.Dense(2)])
        >>> model.quantize("int8")
        >>> int(np.abs(model.layers[0].kernel).max())
        64
    """

    def quantize(
        self, mode: str | None = None, config: keras.quantizers.QuantizationConfig | None = None, **kwargs: Any
    ) -> None:
        """As `keras.Model.quantize`, for "int8" with weights that a frozen export multiplies fast."""
        if mode == "int8":
            quantize_int8(self, config, **kwargs)
        else:
            super().quantize(mode, config=config, **kwargs)


def _exact_quantize(layer, axis, largest) -> Callable[..., None]:
    """`layer.quantize` to [-64, 64], where a product sums over `axis` of its matrix and its inputs were `largest`."""
    quantize = layer.quantize

    def exact_quantize(mode, config, **kwargs):
        if config.weight_quantizer is None:
            weights = keras.quantizers.AbsMaxQuantizer(axis=axis, value_range=(-LARGEST_WEIGHT, LARGEST_WEIGHT))
            config = keras.quantizers.Int8QuantizationConfig(weights, config.activation_quantizer)
        quantize_layer = functools.partial(quantize, mode, config=config, **kwargs)
        if largest is not None and largest.any() and not layer.lora_enabled:
            quantize_calibrated(layer, largest, quantize_layer)
        else:
            quantize_layer()

    return exact_quantize


@contextlib.contextmanager
def _small_collections() -> Iterator[None]:
    """Leaves what is in memory out of garbage collections: Keras starts one for each layer that it quantizes.

    In a program with much in memory they took half a minute.
    """
    if gc.get_freeze_count():  # the program has its own way
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
