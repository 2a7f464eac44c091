"""What the exported pipelines share: a loaded SavedModel, and its function of strings."""

import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_transformer.hub.loaded_function import LoadedFunction
from keras_transformer.hub.loading import load_saved_model
from keras_transformer.hub.saved_model_function import choose_function, signatures_of
from keras_transformer.hub.tensor_specs import described
from keras_transformer.pipelines.model_paths import is_saved_model
from keras_transformer.text.tokenizer import as_strings
from keras_transformer.types import PathLike, Texts


class LoadedExport:
    """A SavedModel in memory.

    Args:
        path: the folder of the SavedModel.

    Attributes:
        path: as the argument.
        saved_model: what TensorFlow loaded. It keeps the variables alive.
        signatures: {name: concrete function}.

    Raises:
        FileNotFoundError: if there is no SavedModel.
        OSError: for a file that may not be read.
        ValueError: if it is damaged; the message names the file.
    """

    def __init__(self, path: PathLike):
        self.path = os.fspath(path)
        if not is_saved_model(self.path):
            raise FileNotFoundError(f"Expected the folder of a SavedModel. Received: {self.path}")
        self.saved_model = load_saved_model(self.path)
        self.signatures = signatures_of(self.saved_model)

    def function(self, signature: str | None = None) -> LoadedFunction:
        """A signature; by default "serving_default", else the root, else the only signature.

        Raises:
            ValueError: if there is none.
        """
        return choose_function(self.saved_model, self.path, signature, for_inference=True)


class ExportedPipeline:
    """A SavedModel that is called with strings (N,), as the pipeline that wrote it.

    A subclass has `results`, what the SavedModel must give, in words, and `is_result`, which tells of a
    `tf.TensorSpec` whether it is one.

    Args:
        path: the folder of the SavedModel, or the loaded one.

    Attributes:
        path: the folder of the SavedModel.

    Raises:
        FileNotFoundError: if there is no SavedModel.
        OSError: for a file that may not be read.
        ValueError: if it is damaged, with the file; if it does not go from strings to such results.
    """

    results: str
    is_result: Callable[[tf.TensorSpec], bool]
    _signature: str | None = None

    def __init__(self, path: PathLike | LoadedExport):
        self._export = path if isinstance(path, LoadedExport) else LoadedExport(path)
        self.path = self._export.path
        self._function = self._export.function(self._signature)
        if not self._fits(self._function):
            inputs, outputs = self._function.specs[0]
            raise ValueError(
                f"Expected a SavedModel from strings to {self.results} in {self.path}. Received: from "
                f"{described(inputs)} to {described(outputs)}"
            )
        self._longest, self._lengths = None, self._export.signatures.get("lengths")
        # Another project's signature of that name may be something else.
        if self._lengths is not None and "longest" in self._lengths.structured_outputs:
            # One for each text; exports of version 0.1.0 have one for all.
            self._longest = int(tf.reduce_max(self._lengths(inputs=tf.constant([""]))["longest"]))

    @property
    def saved_model(self) -> Any:
        """What TensorFlow loaded."""
        return self._export.saved_model

    @classmethod
    def fits(cls, export: LoadedExport) -> bool:
        """Whether a loaded SavedModel goes from strings to results of this class."""
        if cls._signature not in (None, *export.signatures):
            return False
        return cls._fits(export.function(cls._signature))

    @classmethod
    def _fits(cls, function):
        return any(
            _is_only(inputs, is_strings) and _is_only(outputs, cls.is_result) for inputs, outputs in function.specs
        )

    def __call__(self, inputs: Texts) -> Any:
        outputs = self._function(as_strings(inputs))
        return outputs if self._function.only_output is None else outputs[self._function.only_output]

    def _num_tokens(self, texts):
        return self._lengths(inputs=as_strings(texts))["outputs"]


def is_strings(spec: tf.TensorSpec) -> bool:
    """Whether a `tf.TensorSpec` is of strings (N,)."""
    return spec.dtype == tf.string and spec.shape.rank in (1, None)


def is_vectors(spec: tf.TensorSpec) -> bool:
    """Whether a `tf.TensorSpec`, or a tensor, is of vectors (N, D)."""
    return spec.dtype.is_floating and spec.shape.rank in (2, None)


def _is_only(structure, is_right):
    specs = tf.nest.flatten(structure)
    return len(specs) == 1 and hasattr(specs[0], "shape") and hasattr(specs[0], "dtype") and is_right(specs[0])
