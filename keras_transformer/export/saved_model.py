"""SavedModels with the reusable interface of TF2 hub modules, written atomically."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_transformer import disk
from keras_transformer.atomic import making_folder
from keras_transformer.export.warmup import write_warmup_requests
from keras_transformer.types import PathLike, Tensor

# What TensorFlow makes of errors of the file system: ENOSPC, EFBIG, EACCES, EIO and others.
_CANNOT_WRITE = (
    tf.errors.ResourceExhaustedError,
    tf.errors.OutOfRangeError,
    tf.errors.PermissionDeniedError,
    tf.errors.UnknownError,
)


def write_saved_model(
    path: PathLike,
    functions: dict[str, Callable],
    signatures: dict[str, Callable],
    weights: Sequence[tf.Variable] = (),
    trainable_weights: Sequence[tf.Variable] = (),
    other_state: Sequence[Any] = (),
    warmup_requests: Sequence[tuple[str, dict[str, Tensor]]] = (),
) -> None:
    """Writes a SavedModel that `hub.load`, TF Serving and a plain session loader run without this package.

    The root is callable and has `variables`, `trainable_variables` and `regularization_losses`: lists in a fixed
    order, so that equal weights give equal files: all but the unique id in fingerprint.pb, where each of them is
    written by a process of its own (names in a graph count up).

    Args:
        path: folder to make; its parents are made too.
        functions: {attribute name: traced `tf.function`}; "__call__" makes the root callable.
        signatures: {name: concrete function with named inputs and a dictionary of outputs}.
        weights: all `tf.Variable`s of the model.
        trainable_weights: those that fine-tuning may move.
        other_state: whatever else the functions need: tokenizers, tables, states of random generators.
        warmup_requests: a list of (signature name, {input name: tensor}): what TensorFlow Serving runs before it
            offers the model.

    Raises:
        FileExistsError: if `path` exists.
        OSError: with `path`, if it cannot be written: where the disk is full, for example.
        ValueError: for more than 1,000 warm-up requests.

    References:
        "Reusable SavedModels", the TF Hub documentation.
    """
    path = check_new(path)
    root = _Root()
    root.variables = list(weights)
    root.trainable_variables = list(trainable_weights)
    root.regularization_losses = []
    root.other_state = list(other_state)
    for name, function in functions.items():
        setattr(root, name, function)

    try:
        with making_folder(path) as unfinished:
            tf.saved_model.save(root, unfinished, signatures=signatures)
            write_warmup_requests(unfinished, warmup_requests)
    except _CANNOT_WRITE as error:
        raise disk.error_of_text(error.message, path) from error


def check_new(path: PathLike) -> str:
    """Returns the path of a folder to make as a `str`; raises `FileExistsError` if there is anything."""
    path = os.fspath(path)
    if os.path.lexists(path):
        raise FileExistsError(f"Expected a path that does not exist. Received: {path}")
    return path


class _Root(tf.Module):
    """What is saved: here `variables` and `trainable_variables` are attributes, which a SavedModel keeps.

    A `tf.Module` computes them, and loads without; a `tf.train.Checkpoint` adds a variable, its counter of saves.
    """

    variables = trainable_variables = None
