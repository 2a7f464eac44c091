"""A copy of a pipeline in another precision."""

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import keras

from keras_transformer.layers.composite import quantization_modes
from keras_transformer.quantization import observed_inputs, quantize_int8
from keras_transformer.quantization.casting import copy_weights, with_dtype
from keras_transformer.text.tokenizer import as_strings

if TYPE_CHECKING:  # whose module imports this one
    from keras_transformer.pipelines.pipeline import Pipeline

_CALIBRATION_BATCH = 32


def in_dtype(
    pipeline: "Pipeline",
    dtype: str,
    calibration_texts: Sequence[str] = (),
    show: Callable[[str], None] = lambda text: None,
) -> "Pipeline":
    """A copy of a pipeline whose model computes and keeps its weights in `dtype`.

    Args:
        pipeline: a `Pipeline`, which stays as it is.
        dtype: the name of a floating dtype, "bfloat16" for example; or "int8": the matrices of `Dense` layers and of
            embeddings are kept and multiplied in int8 (`keras_transformer.quantization`), the rest in float32.
        calibration_texts: a list of `str`, for "int8": representative texts, for static quantization. Without,
            activations are quantized dynamically.
        show: called with a text now and then, for "int8": what is being done.

    Returns:
        The copy.

    Raises:
        ValueError: if the model is quantized.
    """
    _check_not_quantized(pipeline, f"dtype={dtype!r}")
    policy = "float32" if dtype == "int8" else dtype
    copy = type(pipeline).from_config(with_dtype(pipeline.get_config(), policy))
    copy_weights(pipeline.model, copy.model)
    if dtype == "int8":
        with observed_inputs(copy.model) as largest_inputs:
            for start in range(0, len(calibration_texts), _CALIBRATION_BATCH):
                show(f"int8: {start:,} of {len(calibration_texts):,} calibration texts")
                copy.calibrate(as_strings(calibration_texts[start : start + _CALIBRATION_BATCH]))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Layer .* does not have a `quantize` method")  # the rest
            show("int8: quantizing the weights")
            quantize_int8(copy.model, largest_inputs=largest_inputs)
        show("int8: tracing the graph")
    return copy


def with_int8_embeddings(pipeline: "Pipeline") -> "Pipeline":
    """A copy of a pipeline whose tables of embeddings are in int8, each row with a scale; all else is as it was.

    A table is only read, a row at a time, so that this needs no integer products and runs on any processor.

    Raises:
        ValueError: if the model is quantized.
    """
    _check_not_quantized(pipeline, "int8_embeddings")
    copy = type(pipeline).from_config(pipeline.get_config())
    copy_weights(pipeline.model, copy.model)
    tables = (keras.layers.Embedding, keras.layers.ReversibleEmbedding)
    # By Keras itself, in all steps from -127 to 127: `quantize_int8` leaves half of them out, for its products.
    keras.Model.quantize(copy.model, "int8", filters=lambda layer: isinstance(layer, tables))
    return copy


def _check_not_quantized(pipeline, option):
    if modes := quantization_modes(pipeline.model):
        raise ValueError(f"Expected a model that is not quantized, with {option}. Received: {modes}")
