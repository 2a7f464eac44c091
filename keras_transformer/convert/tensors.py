"""Loads the tensors of a checkpoint into layers, and lists all that do not fit."""

import fnmatch
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from keras_transformer.convert.safetensors_file import read_safetensors


class Tensors:
    """The tensors of a checkpoint, by name, on their way into the layers of a model.

    Call `load_dense`, `load_norm`, or `take` and `load` for each layer, then `finish`: only then are the values
    assigned, or one error lists all tensors that are missing, unexpected or of a wrong shape.

    Args:
        arrays: {name: array}.
        source: their file, for messages.
        transposed: whether the matrix of a linear layer is the transpose of a `Dense` kernel, as in PyTorch.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], source: str, transposed: bool = True) -> None:
        self._arrays = arrays
        self._source = source
        self._transposed = transposed
        self._left = dict.fromkeys(arrays)
        self._faults = []
        self._values = []

    @classmethod
    def of_file(cls, path: str) -> "Tensors":
        """The tensors of a safetensors file."""
        return cls(read_safetensors(path), path)

    def without_prefix(self, prefix: str) -> "Tensors":
        """The same tensors, with `prefix` ("bert.") removed from the names that begin with it."""
        return Tensors(
            {name.removeprefix(prefix): array for name, array in self._arrays.items()}, self._source, self._transposed
        )

    def check_number(self, number: int, source: str) -> None:
        """Raises `ValueError` if a configuration describes a model that is much larger than the checkpoint.

        Args:
            number: the approximate number of weights of that model.
            source: the file of the configuration, for the message.
        """
        received = sum(array.size for array in self._arrays.values())
        if number > 2 * received:
            raise ValueError(
                f"Expected the configuration of a model of {received:,} weights, as in {self._source}. "
                f"Received one of {number:,} in {source}"
            )

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """The tensor `name` in float32. If it is missing or of another shape: zeros, and `finish` reports it."""
        self._left.pop(name, None)
        if name not in self._arrays:
            self._faults.append(f"missing: {name} of shape {shape}")
        elif self._arrays[name].shape != shape:
            self._faults.append(f"wrong shape: {name}, expected {shape}, received {self._arrays[name].shape}")
        else:
            return np.asarray(self._arrays[name]).astype("float32")
        return np.zeros(shape, "float32")

    def load(self, variable: keras.Variable, value: np.ndarray) -> None:
        """Assigns `value` to `variable` in `finish`, if all tensors fit."""
        self._values.append((variable, value))

    def take_same(self, names: Sequence[str], shape: tuple[int, ...]) -> np.ndarray:
        """A tensor that a checkpoint may hold under several names; all that it holds must be equal."""
        present = [name for name in names if name in self._arrays] or names[:1]
        first, *others = (self.take(name, shape) for name in present)
        for name, other in zip(present[1:], others):
            if not np.array_equal(first, other):
                self._faults.append(f"different: {name}, which must equal {present[0]}")
        return first

    def load_dense(self, layer: keras.layers.Dense, *names: tuple[str, str]) -> None:
        """Loads a `Dense` layer, whose kernel and bias hold those of several linear layers side by side.

        Args:
            layer: a built layer.
            *names: (name of the matrix, name of the bias) for each linear layer.
        """
        width, units = layer.kernel.shape
        shape = width, units // len(names)
        kernels = [self._matrix(name, shape) for name, _ in names]
        self.load(layer.kernel, np.concatenate(kernels, axis=1))
        if layer.use_bias:
            self.load(layer.bias, np.concatenate([self.take(name, shape[1:]) for _, name in names]))

    def load_norm(self, layer: keras.layers.LayerNormalization, names: tuple[str, str]) -> None:
        """Loads a `LayerNormalization` from the tensors named (scale, bias)."""
        for variable, name in zip((layer.gamma, layer.beta), names):
            self.load(variable, self.take(name, tuple(variable.shape)))

    def _matrix(self, name, shape):
        return self.take(name, shape[::-1]).T if self._transposed else self.take(name, shape)

    def ignore(self, *patterns: str) -> None:
        """Ignores unexpected tensors whose names match a pattern ("pooler.*")."""
        for name in list(self._left):
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
                del self._left[name]

    def finish(self) -> None:
        """Assigns all values.

        Raises:
            ValueError: lists every tensor that is missing, unexpected or of a wrong shape. Nothing is assigned then.
        """
        faults = self._faults + [f"unexpected: {name} of shape {self._arrays[name].shape}" for name in self._left]
        if faults:
            raise ValueError(
                f"Expected the tensors of the model that the configuration describes. Received in {self._source}:\n  "
                + "\n  ".join(faults)
            )
        for variable, value in self._values:
            variable.assign(value)


def linear(name: str) -> tuple[str, str]:
    """PyTorch's names of the matrix and the bias of a layer."""
    return f"{name}.weight", f"{name}.bias"
