"""Finding what a path on the command line holds: a pipeline's `.keras` file, or an exported SavedModel."""

import os
import pathlib
import zipfile

import keras_transformer

# The models that a checkout carries; an installed package has none.
_SHIPPED = pathlib.Path(keras_transformer.__file__).parents[1] / "saved_models"


def shipped_model(name):
    """The newest version of the model `name` that a checkout carries.

    Raises:
        FileNotFoundError: if there is none.
    """
    folder = _SHIPPED / name
    versions = [path for path in folder.iterdir() if path.name.isdecimal()] if folder.is_dir() else []
    if not versions:
        raise FileNotFoundError(f"Expected --model: there is no model to take by default in {folder}")
    return str(max(versions, key=lambda path: int(path.name)))


def is_saved_model(path, keras_name):
    """Whether `path` is the folder of a SavedModel; not where a `.keras` file of that name lies in it too."""
    has_keras_file = os.path.isfile(os.path.join(path, keras_name))
    return not has_keras_file and os.path.isfile(os.path.join(path, "saved_model.pb"))


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

    if os.path.isdir(path):
        path = os.path.join(path, keras_name)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"Expected a .keras file with {description}. Received: {path}")
    if not zipfile.is_zipfile(path):  # Keras would say that there is no such file
        raise ValueError(
            f"Expected a .keras file with {description}. Received {path}: it is truncated, or something else"
        )
    pipeline = keras.models.load_model(path)
    if not isinstance(pipeline, pipeline_class):
        raise ValueError(f"Expected a {pipeline_class.__name__} in {path}. Received: {type(pipeline).__name__}")
    return pipeline
