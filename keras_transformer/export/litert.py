"""Functions as models of LiteRT, TensorFlow's runtime for phones and browsers."""

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping

import tensorflow as tf

from keras_transformer import arguments

DTYPES = ("float32", "float16", "int8")


def litert_model(function: Callable[..., Mapping[str, tf.Tensor]], dtype: str = "float32") -> bytes:
    """Converts a function to a model of LiteRT, with operations that every LiteRT has.

    Args:
        function: a concrete function of named tensors that gives a dictionary and holds no variables
            (`keras_transformer.export.frozen_weights`).
        dtype: of the weights. "float16": half the size; computations are in float32 on processors. "int8": matrices
            and tables are a quarter as large, and products are of integers; what comes into a product is quantized
            by its own largest value. Ranges that are fixed beforehand would be those of a mask's large numbers too.

    Returns:
        The model: a signature "serving_default" with the names of the function.

    Raises:
        ValueError: for another dtype, a function with variables, and one with an operation that LiteRT lacks.

    Example:
        >>> import tensorflow as tf
        >>> from keras_transformer.export import litert_model
        >>> signature = [tf.TensorSpec([1, None], tf.float32, name="x")]
        >>> double = tf.function(lambda x: {"y": 2.0 * x}, input_signature=signature).get_concrete_function()
        >>> litert_model(double)[4:8]
        b'TFL3'
    """
    arguments.one_of("dtype", dtype, DTYPES)
    if function.variables:
        raise ValueError(f"Expected a function without variables. Received one with {len(function.variables)}")
    module = tf.Module()
    module.function = function
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    if dtype != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if dtype == "float16":
        converter.target_spec.supported_types = [tf.float16]
    with _quiet():
        try:
            return converter.convert()
        except Exception as error:  # the converter's own class is private
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ValueError(f"Expected operations that LiteRT has. Received others: {reason}") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what the converter tells of its temporary SavedModel."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
