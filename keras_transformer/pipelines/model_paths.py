"""What lies at the path of a saved model: a `.keras` file, the folder of a SavedModel, or a file of LiteRT.

Neither Keras nor TensorFlow is imported, so that paths can be checked before either is.
"""

import os
import zipfile
from typing import NamedTuple

from keras_transformer import lfs
from keras_transformer.types import PathLike

LITERT_SOURCE = "source"  # the name of the source's tokenizer in a translator of LiteRT


class Kind(NamedTuple):
    """A kind of pipeline.

    Attributes:
        description: in error messages.
        keras_names: the names of its `.keras` file in the folder of a training.
    """

    description: str
    keras_names: tuple[str, ...]


TRANSLATOR = Kind("a translator", ("translator.keras",))
EMBEDDER = Kind("an embedder", ("embedder.keras",))
QUESTION_ANSWERER = Kind("a question answerer", ("question_answerer.keras",))
PAIR_SCORER = Kind("a pair scorer", ("pair_scorer.keras",))
EMBEDDER_OR_PAIR_SCORER = Kind("an embedder or a pair scorer", EMBEDDER.keras_names + PAIR_SCORER.keras_names)
PIPELINE = Kind(
    "a translator, an embedder, a question answerer or a pair scorer",
    TRANSLATOR.keras_names + EMBEDDER.keras_names + QUESTION_ANSWERER.keras_names + PAIR_SCORER.keras_names,
)


def find_model(path: PathLike, kind: Kind = PIPELINE) -> str:
    """Finds the model that a path stands for, without loading it.

    Args:
        path: a `.keras` file; the folder of a training, with a `.keras` file; the folder of a SavedModel; a folder
            of SavedModels with numbers for names, of which the highest is taken; or a
            file of LiteRT, of a translator or an embedder.
        kind: the pipeline that is wanted.

    Returns:
        The path of the `.keras` file, of the folder of the SavedModel, or of the file of LiteRT.

    Raises:
        FileNotFoundError: if there is no model.
        ValueError: for a file that cannot be a `.keras` file.
    """
    path = os.fspath(path)
    if is_litert_translator(path) if kind == TRANSLATOR else kind in (EMBEDDER, PIPELINE) and is_litert(path):
        return path
    if _keras_file(path, kind) is None:
        if is_saved_model(path):
            return path
        if found := versions(path):
            return found[-1]
        wanted = f"{kind.description}: a .keras file or a SavedModel"
        raise FileNotFoundError(f"Expected {wanted}. Received: {_instead(path, kind)}")
    return find_keras_file(path, kind)


def find_keras_file(path: PathLike, kind: Kind = PIPELINE) -> str:
    """Finds the `.keras` file that a path stands for, without loading it.

    Args:
        path: the file, or a folder with a file of one of the kind's names.
        kind: the pipeline that is wanted.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if the file cannot be one.
    """
    file = _keras_file(path, kind)
    if file is None:
        received = _instead(os.fspath(path), kind)
        raise FileNotFoundError(f"Expected a .keras file with {kind.description}. Received: {received}")
    if is_litert(file):
        raise ValueError(f"Expected a .keras file with {kind.description}. Received {file}: it is a model of LiteRT")
    if not zipfile.is_zipfile(file):  # Keras would say that there is no such file
        fault = lfs.POINTER if lfs.is_pointer(file) else "truncated, or something else"
        raise ValueError(f"Expected a .keras file with {kind.description}. Received {file}: it is {fault}")
    return file


def is_saved_model(path: PathLike) -> bool:
    """Whether `path` is the folder of a SavedModel."""
    return os.path.isfile(os.path.join(path, "saved_model.pb"))


def is_litert(path: PathLike) -> bool:
    """Whether `path` is a file with a model of LiteRT."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(8)[4:] == b"TFL3"


def is_litert_translator(path: PathLike) -> bool:
    """Whether `path` is a file with a translator of LiteRT, as its name among the files in it tells."""
    if not is_litert(path) or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return f"{LITERT_SOURCE}.model" in archive.namelist()


def versions(folder: PathLike) -> list[str]:
    """The paths of the SavedModels in a folder that have numbers for names, the highest number last."""
    names = [name for name in os.listdir(folder) if name.isdecimal()] if os.path.isdir(folder) else []
    paths = [os.path.join(folder, name) for name in sorted(names, key=int)]
    return [path for path in paths if is_saved_model(path)]


def version_note(path: PathLike, found: str) -> str:
    """Says which of several versions `find_model` found for `path`; empty if there was no choice."""
    there = versions(path)
    if len(there) < 2 or found != there[-1]:
        return ""
    return f"{os.fspath(path)} has {len(there)} versions. The newest is opened: {found}"


def _keras_file(path, kind):
    """The file at `path` or, if that is a folder, the `.keras` file in it; `None` if there is none."""
    paths = [os.path.join(path, name) for name in kind.keras_names] if os.path.isdir(path) else [os.fspath(path)]
    return next(filter(os.path.isfile, paths), None)


def _instead(path, kind):
    """What lies at a path without a `.keras` file, in words."""
    if not os.path.lexists(path):
        return f"{path}, which does not exist"
    if not os.path.isdir(path):
        return f"{path}, which is no file"
    if is_saved_model(path):
        return f"{path}, an exported SavedModel"
    found = versions(path)
    hint = f"; a SavedModel is in {found[-1]}" if found else ""
    *others, last = kind.keras_names
    names = f"{', '.join(others)} or {last}" if others else last
    return f"{path}, a folder without {names}{hint}"
