"""The same pipeline in other numbers."""

import contextlib
import gc
import os
import tempfile
import warnings

from keras_transformer.layers import integer_products
from keras_transformer.layers.composite import quantization_modes
from keras_transformer.text.tokenizer import as_strings

_CALIBRATION_BATCH = 32


def in_dtype(pipeline, dtype, calibration_texts=(), show=lambda text: None):
    """A copy of a pipeline whose model computes and keeps its weights in `dtype`.

    Args:
        pipeline: a `Pipeline`, which stays as it is.
        dtype: the name of a floating dtype, "bfloat16" for example; or "int8": the matrices of `Dense` layers and of
            embeddings are kept, and multiplied, in integers of 8 bits (`layers.integer_products`), the rest in float32.
        calibration_texts: a list of `str`, for "int8": what goes through the model so that each matrix knows beforehand
            how large its inputs are. Without, each row of inputs is quantized by its own largest value.
        show: called with a text now and then, for "int8": what is being done.

    Returns:
        The copy.

    Raises:
        ValueError: if the model is quantized.
    """
    modes = quantization_modes(pipeline.model)
    if modes:
        raise ValueError(f"Expected a model that is not quantized, with dtype={dtype!r}. Received: {modes}")
    policy = "float32" if dtype == "int8" else dtype
    copy = type(pipeline).from_config(_with_policy(pipeline.get_config(), policy))
    with tempfile.TemporaryDirectory() as folder:
        # By a file, into which Keras merges what LoRA added.
        weights = os.path.join(folder, "model.weights.h5")
        pipeline.model.save_weights(weights)
        copy.model.load_weights(weights)
    # LoRA has weights that the copy, into which they are merged, has not.
    if len(copy.model.weights) == len(pipeline.model.weights):
        for weight, original in zip(copy.model.weights, pipeline.model.weights):
            weight.trainable = original.trainable
    if dtype == "int8":
        with integer_products.calibrating():
            for start in range(0, len(calibration_texts), _CALIBRATION_BATCH):
                show(f"int8: {start:,} of {len(calibration_texts):,} texts of the calibration")
                copy.calibrate(as_strings(calibration_texts[start : start + _CALIBRATION_BATCH]))
        with warnings.catch_warnings(), _small_collections():
            warnings.filterwarnings("ignore", "Layer .* does not have a `quantize` method")  # the rest
            show("int8: quantizing the weights")
            copy.model.quantize("int8")
        show("int8: making the graph")
    return copy


@contextlib.contextmanager
def _small_collections():
    """Leaves what is in memory out of collections of garbage, of which Keras makes one for each layer it quantizes.

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


def _with_policy(config, dtype):
    """A config with another dtype policy wherever a floating one stands."""
    if isinstance(config, (list, tuple)):
        return [_with_policy(part, dtype) for part in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy" and "float" in config["config"]["name"]:
        return {**config, "config": {"name": dtype}}
    return {key: _with_policy(part, dtype) for key, part in config.items()}
