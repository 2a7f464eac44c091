"""Files that are there whole or not at all."""

import contextlib
import glob
import os

from keras_transformer import disk


@contextlib.contextmanager
def replacing(path):
    """Gives a temporary name beside `path`, which takes the place of `path` only if all goes well.

    Args:
        path: the file to write. The temporary name keeps its ending, by which Keras knows formats. A link stays, and
            its target is replaced. What is no file (a device, a pipe) is written to directly.

    Raises:
        IsADirectoryError: if `path` is a folder.
        OSError: with `path`, where the disk is full.
    """
    path = os.path.realpath(os.fspath(path))
    if os.path.isdir(path):
        raise IsADirectoryError(f"Expected a file. Received a folder: {path}")
    if os.path.exists(path) and not os.path.isfile(path):
        with disk.naming(path):
            yield path
        return
    folder, name = os.path.split(path)
    os.makedirs(folder, exist_ok=True)
    unfinished = os.path.join(folder, f".unfinished-{os.getpid()}-{name}")
    try:
        with disk.naming(path):
            yield unfinished
        os.replace(unfinished, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(unfinished)


def remove_unfinished(path):
    """Removes what processes that were killed while they wrote `path` left beside it. None may be writing it now."""
    folder, name = os.path.split(os.path.realpath(os.fspath(path)))
    for unfinished in glob.glob(os.path.join(glob.escape(folder), f".unfinished-*-{glob.escape(name)}")):
        os.remove(unfinished)
