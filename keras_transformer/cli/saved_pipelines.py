"""Finding what a path on the command line holds: a pipeline's `.keras` file, or an exported SavedModel."""

import os
import pathlib
import zipfile

import keras_transformer
from keras_transformer import lfs

# The models that a checkout carries: the one that this package lies in and, where it is installed, the one that the
# command is typed in.
_SHIPPED = pathlib.Path(keras_transformer.__file__).parents[1] / "saved_models"
_SHIPPED_HERE = pathlib.Path("saved_models")


def shipped_model(name):
    """The newest version of the model `name` that a checkout carries.

    Raises:
        FileNotFoundError: if there is none.
    """
    for folder in (_SHIPPED / name, _SHIPPED_HERE / name):
        versions = [path for path in folder.iterdir() if path.name.isdecimal()] if folder.is_dir() else []
        if versions:
            return str(max(versions, key=lambda path: int(path.name)))
    raise FileNotFoundError(
        f"Expected --model MODEL, or the current folder to be a checkout of the project, with saved_models/{name}. "
        f"Received no --model, and {os.getcwd()} has no saved_models/{name}"
    )


def is_saved_model(path, keras_name):
    """Whether `path` is the folder of a SavedModel; not where a `.keras` file of that name lies in it too."""
    has_keras_file = os.path.isfile(os.path.join(path, keras_name))
    return not has_keras_file and os.path.isfile(os.path.join(path, "saved_model.pb"))


def check_model(path, keras_name, description):
    """Refuses a path with neither a `.keras` file nor a SavedModel, as loading it would; gives what loading it reads.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if the file cannot be one.
    """
    return path if is_saved_model(path, keras_name) else check_keras_file(path, keras_name, description)


def load_pipeline(path, pipeline_class, keras_name, description):
    """The pipeline saved in `path`, a `.keras` file or a folder with one.

    Args:
        path: of the file or the folder.
        pipeline_class: what it must be.
        keras_name: the name of the file in a folder.
        description: what it is in errors: "a translator".

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if the file holds something else, or is damaged.
    """
    import keras

    path = check_keras_file(path, keras_name, description)
    try:
        pipeline = keras.models.load_model(path)
    except Exception as error:  # of any kind, as the damage is
        raise ValueError(
            f"Expected a .keras file with {description}. Received {path}: it is damaged, or of a later version "
            f"({_in_short(error)})"
        ) from error
    if not isinstance(pipeline, pipeline_class):
        raise ValueError(f"Expected a {pipeline_class.__name__} in {path}. Received: {type(pipeline).__name__}")
    return pipeline


def check_keras_file(path, keras_name, description):
    """The `.keras` file that `path` is, or that lies in it.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if the file cannot be one.
    """
    folder = path
    if os.path.isdir(path):
        path = os.path.join(path, keras_name)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"Expected a .keras file with {description}. Received: {_instead(folder, keras_name)}")
    if not zipfile.is_zipfile(path):  # Keras would say that there is no such file
        fault = lfs.POINTER if lfs.is_pointer(path) else "truncated, or something else"
        raise ValueError(f"Expected a .keras file with {description}. Received {path}: it is {fault}")
    return path


def _instead(path, keras_name):
    """What there is at a path where no `.keras` file is, in words."""
    if not os.path.lexists(path):
        return f"{path}, which does not exist"
    if not os.path.isdir(path):
        return f"{path}, which is no file"
    if is_saved_model(path, keras_name):
        return f"{path}, an exported SavedModel"
    versions = [name for name in os.listdir(path) if is_saved_model(os.path.join(path, name), keras_name)]
    newest = max(versions, key=lambda name: (len(name), name), default=None)  # 10 is newer than 9
    hint = f"; a SavedModel is in {os.path.join(path, newest)}" if newest else ""
    return f"{path}, a folder without {keras_name}{hint}"


def _in_short(error):
    """The kind and the first line of an error; Keras' go on for pages."""
    line = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {line[:200]}"
