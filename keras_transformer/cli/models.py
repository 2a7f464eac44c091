"""The option --model: its help, its default in a checkout, and which model its path stands for."""

import os
import pathlib
import sys

import keras_transformer
from keras_transformer.pipelines.model_paths import Kind, find_model, version_note, versions

SHIPPED_TRANSLATOR = "translator_en_de"  # by default
SHIPPED_EMBEDDER = "sentence_encoder_en"
TRANSLATOR_HELP = (
    "a translator.keras, the folder it is in, the folder of an exported SavedModel, a folder of versions of it, or a "
    ".tflite file that `export --format litert` wrote"
)
EMBEDDER_HELP = (
    "an embedder.keras, the folder it is in, the folder of a SavedModel from strings to vectors (TF-Hub's too), a "
    "folder of versions of it, or a .tflite file that `export --format litert` wrote"
)
QUESTION_ANSWERER_HELP = (
    "a question_answerer.keras, the folder it is in, the folder of a SavedModel with the signatures question_encoder "
    "and response_encoder (TF-Hub's too), or a folder of versions of it"
)
PAIR_SCORER_HELP = (
    "a pair_scorer.keras, the folder it is in, the folder of a SavedModel that a pair scorer was exported to, or a "
    "folder of versions of it"
)
# The models that a checkout carries: the one that this package lies in and, where it is installed, the one that the
# command is typed in.
_SHIPPED = pathlib.Path(keras_transformer.__file__).parents[1] / "saved_models"
_SHIPPED_HERE = pathlib.Path("saved_models")


def shipped_model(name: str) -> str:
    """The newest version of the model `name` that a checkout carries.

    Raises:
        FileNotFoundError: if there is none.
    """
    for folder in (_SHIPPED / name, _SHIPPED_HERE / name):
        if found := versions(folder):
            return found[-1]
    raise FileNotFoundError(
        f"Expected --model MODEL, or the current folder to be a checkout of the project, with saved_models/{name}. "
        f"Received no --model, and {os.getcwd()} has no saved_models/{name}"
    )


def newest(path: str, kind: Kind) -> str:
    """The model that `path` stands for, as `find_model` finds it; says which of several versions it is."""
    found = find_model(path, kind)
    if note := version_note(path, found):
        print(f"keras-transformer: {note}", file=sys.stderr)
    return found
