"""Functions as models of LiteRT, TensorFlow's runtime for phones and browsers."""

import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import tensorflow as tf

from keras_transformer import arguments, quiet
from keras_transformer.types import PathLike

DTYPES = ("float32", "float16", "int8")
_Function: TypeAlias = Callable[..., Mapping[str, tf.Tensor]]


def litert_model(functions: _Function | Mapping[str, _Function], dtype: str = "float32") -> bytes:
    """Converts functions to a model of LiteRT, with operations that every LiteRT has.

    Args:
        functions: a concrete function of named tensors that gives a dictionary and holds no variables
            (`keras_transformer.export.frozen_weights`); or several, {name of the signature: function}. What several
            have in common, their weights, is stored once.
        dtype: of the weights. "float16": half the size; computations are in float32 on processors. "int8": matrices
            and tables are a quarter as large, and products are of integers; what comes into a product is quantized
            by its own largest value. Ranges that are fixed beforehand would be those of a mask's large numbers too.

    Returns:
        The model: a signature for each function, "serving_default" for one without a name, with the function's names.

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
    signatures = dict(functions) if isinstance(functions, Mapping) else {"serving_default": functions}
    for function in signatures.values():
        if function.variables:
            raise ValueError(f"Expected a function without variables. Received one with {len(function.variables)}")
    module = tf.Module()
    module.functions = list(signatures.values())
    with quiet.without_log("absl"), tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
        if dtype != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if dtype == "float16":
            converter.target_spec.supported_types = [tf.float16]
        try:
            return converter.convert()
        except Exception as error:  # the converter's own class is private
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ValueError(f"Expected operations that LiteRT has. Received others: {reason}") from error


def interpreter(path: PathLike, num_threads: int = 1) -> Any:
    """A file's interpreter: of LiteRT's own runtime (`ai-edge-litert`) or, without that, TensorFlow's older one."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        Interpreter = tf.lite.Interpreter
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*tf.lite.Interpreter is deprecated", UserWarning)
        return Interpreter(model_path=os.fspath(path), num_threads=num_threads)
