"""The whole state of a training in one file, written whole or not at all."""

import json
import os
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_transformer.atomic import replacing
from keras_transformer.types import PathLike

FORMAT = 2  # of the progress; 1, before 0.1.0, knew other names of arguments and is no longer read
_PROGRESS = "progress.json"


def write_checkpoint(path: PathLike, variables: Sequence, progress: Any) -> None:
    """Writes variables and what else must come back after a kill.

    A full disk, or a kill at any moment, leaves the earlier file as it was.

    Args:
        path: the file, which gets no ending.
        variables: Keras variables in a fixed order: weights, optimizer, random states.
        progress: what JSON can hold.
    """
    with replacing(path) as unfinished, open(unfinished, "wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(_PROGRESS, json.dumps(progress))
            for i, variable in enumerate(variables):
                with archive.open(f"{i}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, _writable(variable), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())


def read_checkpoint(path: PathLike, variables: Sequence, accept: Callable[[Any], None] = lambda progress: None) -> Any:
    """Reads a file of `write_checkpoint`, assigns the variables, and returns the progress.

    Nothing is assigned unless all of it can be.

    Args:
        path: the file.
        variables: the variables in the order of writing.
        accept: called with the progress before anything is assigned; it may raise.

    Raises:
        FileNotFoundError: if there is no file.
        ValueError: for a file that is truncated or otherwise damaged, and for other variables than those written.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            progress = json.loads(archive.read(_PROGRESS))
            arrays = [_read_array(archive, i) for i in range(len(archive.namelist()) - 1)]
    except (zipfile.BadZipFile, EOFError, KeyError, ValueError) as error:
        raise ValueError(f"Expected a whole checkpoint. Received {path}: {error}") from error
    accept(progress)
    written = [array.shape for array in arrays]
    expected = [tuple(variable.shape) for variable in variables]
    if written != expected:
        raise ValueError(
            f"Expected a checkpoint of this model and optimizer, {len(expected)} variables, written by this version. "
            f"Received {path}: {len(written)} variables, the first other shape is "
            f"{next(((i, a, b) for i, (a, b) in enumerate(zip(written, expected)) if a != b), None)}"
        )
    for variable, array in zip(variables, arrays):
        variable.assign(array)
    return progress


def check_format(path: PathLike, progress: Any) -> None:
    """`ValueError` for the progress of a training that another version began."""
    found = progress.get("format", 1)
    if found != FORMAT:
        raise ValueError(
            f"Expected a checkpoint of this version of keras_transformer, of format {FORMAT}. Received {path}, of "
            f"format {found}: end that training with the version that began it, or begin it again in another folder"
        )


def _writable(variable):
    array = np.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)
    # NumPy's file format has no bfloat16; float32 holds it exactly.
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


def _read_array(archive, i):
    with archive.open(f"{i}.npy") as member:
        array = np.lib.format.read_array(member, allow_pickle=False)
        if member.read(1):  # reading to the end checks the member's checksum
            raise ValueError(f"{i}.npy is too long")
        return array
