"""The tensors of a checkpoint, taken one by one, with a list of all that does not fit."""

import fnmatch

import numpy as np

from keras_transformer.convert.safetensors_file import read_safetensors


class Tensors:
    """Tensors by name, for the layers of a model. What is missing, misshapen or left over is told all at once.

    Args:
        arrays: {name: array}.
        source: what they come from, for messages.
        transposed: whether the matrix of a linear layer is the transpose of a `Dense` kernel, as in PyTorch.
    """

    def __init__(self, arrays, source, transposed=True):
        self._arrays = arrays
        self._source = source
        self._transposed = transposed
        self._left = dict.fromkeys(arrays)
        self._faults = []
        self._values = []

    @classmethod
    def of_file(cls, path):
        """Those of a safetensors file."""
        return cls(read_safetensors(path), path)

    def without_prefix(self, prefix):
        """The same tensors, where a name begins with `prefix` ("bert.") without it."""
        return Tensors(
            {name.removeprefix(prefix): array for name, array in self._arrays.items()}, self._source, self._transposed
        )

    def check_number(self, number, source):
        """Raises `ValueError` if a model of `number` weights would be much larger than what is here to be loaded.

        Args:
            number: what a configuration leads to, about.
            source: the file of the configuration, for the message.
        """
        received = sum(array.size for array in self._arrays.values())
        if number > 2 * received:
            raise ValueError(
                f"Expected the configuration of a model of {received:,} weights, as in {self._source}. "
                f"Received one of {number:,} in {source}"
            )

    def __contains__(self, name):
        return name in self._arrays

    def take(self, name, shape):
        """The tensor `name` in float32; zeros where it does not fit, which `finish` reports.

        Args:
            name: of the tensor.
            shape: what it must have.
        """
        self._left.pop(name, None)
        if name not in self._arrays:
            self._faults.append(f"missing: {name} of shape {shape}")
        elif self._arrays[name].shape != shape:
            self._faults.append(f"misshapen: {name}, {shape} expected, {self._arrays[name].shape} received")
        else:
            return np.asarray(self._arrays[name]).astype("float32")
        return np.zeros(shape, "float32")

    def load(self, variable, value):
        """Gives `variable` the array `value` as soon as `finish` finds no fault."""
        self._values.append((variable, value))

    def take_same(self, names, shape):
        """The tensor that goes by several names, of which a checkpoint has at least one."""
        present = [name for name in names if name in self._arrays] or names[:1]
        first, *others = (self.take(name, shape) for name in present)
        for name, other in zip(present[1:], others):
            if not np.array_equal(first, other):
                self._faults.append(f"different: {name}, which must equal {present[0]}")
        return first

    def load_dense(self, layer, *names):
        """Loads a `Dense` layer, whose kernel and bias hold those of several linear layers side by side.

        Args:
            layer: built.
            *names: (name of the matrix, name of the bias) for each linear layer.
        """
        width, units = layer.kernel.shape
        shape = width, units // len(names)
        kernels = [self._matrix(name, shape) for name, _ in names]
        self.load(layer.kernel, np.concatenate(kernels, axis=1))
        if layer.use_bias:
            self.load(layer.bias, np.concatenate([self.take(name, shape[1:]) for _, name in names]))

    def load_norm(self, layer, names):
        """Loads a `LayerNormalization` from the tensors named (scale, bias)."""
        for variable, name in zip((layer.gamma, layer.beta), names):
            self.load(variable, self.take(name, tuple(variable.shape)))

    def _matrix(self, name, shape):
        return self.take(name, shape[::-1]).T if self._transposed else self.take(name, shape)

    def leave(self, *patterns):
        """Tensors whose names match a pattern ("pooler.*") are of no use and no fault."""
        for name in list(self._left):
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
                del self._left[name]

    def finish(self):
        """Loads all values.

        Raises:
            ValueError: with everything that is missing, misshapen or left over.
        """
        faults = self._faults + [f"extra: {name} of shape {self._arrays[name].shape}" for name in self._left]
        if faults:
            raise ValueError(
                f"Expected the tensors of the model that the configuration describes. Received in {self._source}:\n  "
                + "\n  ".join(faults)
            )
        for variable, value in self._values:
            variable.assign(value)


def linear(name):
    """PyTorch's names of the matrix and the bias of a layer."""
    return f"{name}.weight", f"{name}.bias"
