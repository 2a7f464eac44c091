"""What annotations of the public API are made of."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

# A tensor of Keras' backend, a NumPy array, or a `keras.KerasTensor` of a Functional graph: three classes, chosen at
# run time, that have no common base. Shapes and dtypes are told by the docstrings.
Tensor: TypeAlias = Any
Shape: TypeAlias = Sequence[int | None]
# What `keras.initializers.get`, `keras.activations.get` and `keras.dtype_policies.get` take.
Initializer: TypeAlias = Any
Activation: TypeAlias = Any
DType: TypeAlias = Any
Config: TypeAlias = dict[str, Any]
PathLike: TypeAlias = str | os.PathLike[str]
# Strings (N,): a list of `str`, a NumPy array or a string tensor.
Texts: TypeAlias = Sequence[str] | Tensor
Logs: TypeAlias = Mapping[str, float]
