"""Loads SavedModels, with errors that name the damaged file; TensorFlow raises errors of any kind."""

import contextlib
import os
import re
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_transformer import disk, lfs
from keras_transformer.types import PathLike

# What a loader reads; "tfhub_module.pb" marks the TF1 hub format.
GRAPHS = ("saved_model.pb", "saved_model.pbtxt", "saved_model.cpb")
TF1_HUB_MARK = "tfhub_module.pb"
FILES = (*GRAPHS, TF1_HUB_MARK, "fingerprint.pb")
FOLDERS = ("variables", "assets")


def load_saved_model(folder: PathLike, tags: Sequence[str] | None = None, handle: str | None = None) -> Any:
    """Loads a SavedModel as `tf.saved_model.load` does, with the operations of tensorflow_text if it is installed.

    Args:
        folder: of the SavedModel.
        tags: list of tags of the graph to load; `None` for the only one.
        handle: its name in error messages; by default `folder`.

    Raises:
        OSError: for a file that may not be read.
        ValueError: if TensorFlow cannot load it; the message names the file that is damaged, empty, missing or a Git
            LFS pointer.
    """
    handle = folder if handle is None else handle
    for path in saved_model_paths(folder):
        # Of an asset TensorFlow would take the pointer's lines for the vocabulary.
        if is_lfs_pointer(path):
            raise _cannot_load(handle, f"whose {_name(path, folder)} is {lfs.POINTER}")
    # Registers the operations of tokenizers; a SavedModel without any does without.
    with contextlib.suppress(ImportError):
        import tensorflow_text  # noqa: F401
    try:
        return tf.saved_model.load(folder, tags)
    except MemoryError:
        raise
    # In a damaged graph TensorFlow's loader may fail at any step, and with any error.
    except Exception as error:
        raise _cannot_load(handle, _fault(folder, error)) from error


def is_lfs_pointer(path: PathLike) -> bool:
    """As `lfs.is_pointer`, on any file system of TensorFlow."""
    try:
        return lfs.is_pointer(path, tf.io.gfile.GFile)
    except tf.errors.PermissionDeniedError as error:
        raise disk.error_of_text(error.message, path) from error


def saved_model_paths(folder: PathLike) -> list[str]:
    """The files in the folder of a SavedModel that belong to it."""
    paths = [os.path.join(folder, name) for name in FILES]
    for inner in FOLDERS:
        for parent, _, names in tf.io.gfile.walk(os.path.join(folder, inner)):
            paths += [os.path.join(parent, name) for name in names]
    return [path for path in paths if tf.io.gfile.exists(path)]


def _cannot_load(handle, fault):
    return ValueError(f"Expected a SavedModel that TensorFlow can load. Received: {handle}, {fault}")


def _fault(folder, error):
    """What is wrong with a SavedModel at which TensorFlow raised `error`."""
    variables = os.path.join(folder, "variables")
    names = tf.io.gfile.listdir(variables) if tf.io.gfile.isdir(variables) else []
    data = sorted(name for name in names if name.startswith("variables.data-"))
    has_index = "variables.index" in names
    if has_index and not data:
        return "whose variables/variables.data-00000-of-00001 is missing"
    if not has_index and (data or variables in str(error)):
        return "whose variables/variables.index is missing"
    paths = saved_model_paths(folder)
    graphs = [path for path in paths if os.path.basename(path) in GRAPHS]
    if not graphs:
        return "whose saved_model.pb is missing"
    assets = os.path.join(folder, "assets", "")
    missing = re.search(rf"{re.escape(assets)}[^\s;]+; No such file", str(error))
    if missing:
        return f"whose {_name(missing[0].split(';')[0], folder)} is missing"
    empty = [path for path in paths if (path in graphs or path.startswith(assets)) and _size(path) == 0]
    path = (has_index and _unreadable(variables, data)) or (empty or graphs)[0]
    if _size(path) == 0:
        return f"whose {_name(path, folder)} is empty"
    said = re.sub(r"^\{\{function_node .*?\}\} ", "", str(error).strip().split("\n")[0])
    return f"of whose {_name(path, folder)} it says: {type(error).__name__}: {said}"


def _size(path):
    return tf.io.gfile.stat(path).length


def _unreadable(variables, data):
    """The first of the files of the variables that cannot be read; `None` if all can."""
    try:
        reader = tf.train.load_checkpoint(os.path.join(variables, "variables"))
        names = reader.get_variable_to_shape_map()
    except Exception:  # Python's, TensorFlow's or C++'s
        return os.path.join(variables, "variables.index")
    try:
        for name in names:
            reader.get_tensor(name)
    except Exception:
        return os.path.join(variables, data[0])
    return None


def _name(path, folder):
    return os.path.relpath(path, folder).replace(os.sep, "/")
