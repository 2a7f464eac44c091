"""What the exported pipelines share: loading a SavedModel, and finding its function of strings."""

import os

import tensorflow as tf

from keras_transformer.hub.loading import load_saved_model
from keras_transformer.text.tokenizer import as_strings


class ExportedPipeline:
    """A SavedModel, called with strings (N,) as the pipeline that wrote it.

    Args:
        path: the folder of the SavedModel.
        results: what it must give, in words.
        is_result: tells of a `tf.TensorSpec` whether it is one.

    Raises:
        FileNotFoundError: if there is no SavedModel.
        OSError: for a file that may not be read.
        ValueError: if it is damaged, with the file; if it does not go from strings to such results.
    """

    def __init__(self, path, results, is_result):
        path = os.fspath(path)
        if not os.path.isfile(os.path.join(path, "saved_model.pb")):
            raise FileNotFoundError(f"Expected the folder of a SavedModel. Received: {path}")
        self._root = load_saved_model(path)  # keeps the variables of the function
        self._function = _function(self._root, path, results, is_result)
        self._longest, self._lengths = None, getattr(self._root, "signatures", {}).get("lengths")
        # Another project's signature of that name may be something else.
        if self._lengths is not None and "longest" in self._lengths.structured_outputs:
            # One for each text; exports of version 0.1.0 have one for all.
            self._longest = int(tf.reduce_max(self._lengths(inputs=tf.constant([""]))["longest"]))

    def __call__(self, inputs):
        return self._function(as_strings(inputs))

    def _num_tokens(self, texts):
        return self._lengths(inputs=as_strings(texts))["outputs"]


def _function(root, path, results, is_result):
    signature = getattr(root, "signatures", {}).get("serving_default")
    if signature is None:
        if not callable(root):
            raise ValueError(f"Expected a SavedModel with a signature serving_default in {path}. Received: none")
        return root
    inputs, outputs = signature.structured_input_signature[1], signature.structured_outputs
    for specs, is_right in ((inputs, is_strings), (outputs, is_result)):
        if len(specs) != 1 or not all(map(is_right, specs.values())):
            raise ValueError(
                f"Expected a SavedModel from strings to {results} in {path}. Received: from {_dtypes(inputs)} to "
                f"{_dtypes(outputs)}"
            )
    (argument,), (result,) = inputs, outputs
    return lambda texts: signature(**{argument: texts})[result]


def is_strings(spec):
    """Whether a `tf.TensorSpec` is of strings (N,)."""
    return spec.dtype == tf.string and spec.shape.rank in (1, None)


def is_vectors(spec):
    """Whether a `tf.TensorSpec`, or a tensor, is of vectors (N, D)."""
    return spec.dtype.is_floating and spec.shape.rank in (2, None)


def _dtypes(specs):
    return {name: f"{spec.dtype.name} {spec.shape}" for name, spec in specs.items()}
