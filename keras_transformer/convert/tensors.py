"""The tensors of a checkpoint, taken one by one, with a list of all that does not fit."""

import fnmatch

import numpy as np

from keras_transformer.convert.safetensors_file import read_safetensors


class Tensors:
    """Tensors by name, for the layers of a model. What is missing, misshapen or left over is told all at once.

    Names and shapes are those of PyTorch: the matrix of a linear layer is the transpose of a `Dense` kernel.

    Args:
        arrays: {name: array}.
        source: what they come from, for messages.
    """

    def __init__(self, arrays, source):
        self._arrays = arrays
        self._source = source
        self._left = dict.fromkeys(arrays)
        self._faults = []
        self._values = []

    @classmethod
    def of_file(cls, path):
        """Those of a safetensors file."""
        return cls(read_safetensors(path), path)

    def without_prefix(self, prefix):
        """The same tensors, where a name begins with `prefix` ("bert.") without it."""
        return Tensors({name.removeprefix(prefix): array for name, array in self._arrays.items()}, self._source)

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

    def load_dense(self, layer, *names):
        """Loads a `Dense` layer, whose kernel and bias hold those of several linear layers side by side."""
        width, units = layer.kernel.shape
        shape = (units // len(names), width)
        self.load(layer.kernel, np.concatenate([self.take(f"{name}.weight", shape).T for name in names], axis=1))
        if layer.use_bias:
            self.load(layer.bias, np.concatenate([self.take(f"{name}.bias", shape[:1]) for name in names]))

    def load_norm(self, layer, name):
        """Loads a `LayerNormalization`; old checkpoints have other names for its two vectors."""
        names = ("gamma", "beta") if f"{name}.gamma" in self._arrays else ("weight", "bias")
        for variable, suffix in zip((layer.gamma, layer.beta), names):
            self.load(variable, self.take(f"{name}.{suffix}", tuple(variable.shape)))

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
