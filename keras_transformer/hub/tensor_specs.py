"""Structures of tensors and of their specs: what a SavedModel's function takes, in error messages too."""

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

# A `tf.TensorSpec`, or a dictionary, list or tuple of specs.
Spec = Any


def only_dtype(spec: Spec) -> str:
    """The dtype of the only tensor of a structure; "float32" if there are several."""
    specs = tf.nest.flatten(spec)
    return specs[0].dtype.name if len(specs) == 1 else "float32"


def as_tensors(inputs: Any, spec: Spec) -> Any:
    """`inputs` with Python numbers, strings and lists converted to tensors, where `spec` has a tensor."""
    if isinstance(inputs, dict) and isinstance(spec, dict):
        return {name: as_tensors(value, spec.get(name)) for name, value in inputs.items()}
    if isinstance(inputs, (list, tuple)) and isinstance(spec, (list, tuple)) and len(inputs) == len(spec):
        return type(spec)(as_tensors(*pair) for pair in zip(inputs, spec))
    is_python = isinstance(inputs, (list, tuple, str, bytes, float, int))
    if not is_python or not isinstance(spec, tf.TensorSpec):
        return inputs
    if any(isinstance(leaf, keras.KerasTensor) for leaf in tf.nest.flatten(inputs)):
        return inputs
    try:
        return tf.convert_to_tensor(inputs, spec.dtype)
    except (TypeError, ValueError):
        return tf.convert_to_tensor(inputs)  # the call will refuse this dtype by name


def cast_floats(inputs: Any, specs: Iterable[Spec]) -> Any:
    """`inputs` with floats cast to the precision of the first of `specs` that has their structure.

    The layers around a SavedModel may compute in mixed precision.
    """
    for spec in specs:
        try:
            tf.nest.assert_same_structure(inputs, spec)
        except (TypeError, ValueError):
            continue
        return tf.nest.map_structure(_cast_float, inputs, spec)
    return inputs


def described(value: Any) -> str:
    """A tensor, its spec or a structure of them as dtype and shape; other values as `repr` gives them."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name!r}: {described(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(described, value)) + "]"
    if not hasattr(value, "dtype") or not hasattr(value, "shape"):
        return repr(value)
    shape = tf.TensorShape(value.shape)
    return f"{tf.as_dtype(value.dtype).name} {'of any shape' if shape.rank is None else tuple(shape)}"


def _cast_float(value, spec):
    are_floats = all(hasattr(each, "dtype") and each.dtype.is_floating for each in (value, spec))
    return tf.cast(value, spec.dtype) if are_floats else value
