"""Files that are there whole or not at all."""

import contextlib
import os


@contextlib.contextmanager
def replacing(path):
    """Gives a temporary name beside `path`, which takes the place of `path` only if all goes well.

    Args:
        path: the file to write. The temporary name keeps its ending, by which Keras knows formats.
    """
    folder, name = os.path.split(os.path.abspath(os.fspath(path)))
    os.makedirs(folder, exist_ok=True)
    unfinished = os.path.join(folder, f".unfinished-{os.getpid()}-{name}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(unfinished)
