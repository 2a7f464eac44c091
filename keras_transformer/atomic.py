"""Files and folders that are written completely or not at all."""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator

try:
    import fcntl
except ImportError:  # on Windows, where leftovers are not removed
    fcntl = None

from keras_transformer import disk
from keras_transformer.types import PathLike

_UNFINISHED = ".unfinished-"
_MOST_BYTES = 200  # of a name within that of a workplace; file systems take 255 in all


@contextlib.contextmanager
def replacing(path: PathLike) -> Iterator[str]:
    """Gives a temporary path on the same disk; the file there replaces `path` when the context ends without an error.

    First the leftovers of processes that were killed while they wrote `path` are removed.

    Args:
        path: the file to write. The temporary file has the same name, since Keras tells formats by the ending. A link
            stays, and its target is replaced. A device or a pipe is written to directly.

    Raises:
        IsADirectoryError: if `path` is a folder.
        OSError: with `path`, where the disk is full.
    """
    path = os.path.realpath(os.fspath(path))
    if os.path.isdir(path):
        raise IsADirectoryError(f"Expected a file. Received a folder: {path}")
    if os.path.exists(path) and not os.path.isfile(path):
        with disk.naming(path, _UNFINISHED):
            yield path
        return
    with disk.naming(path, _UNFINISHED), _workplace(path) as unfinished:
        yield unfinished
        os.replace(unfinished, path)


@contextlib.contextmanager
def making_folder(path: PathLike) -> Iterator[str]:
    """Gives a temporary path on the same disk; the folder that is made there is renamed to `path` at the end.

    After an error nothing is left. First the leftovers of processes that were killed while they made `path` are
    removed.

    Args:
        path: the folder. Its parents are made too.
    """
    path = os.path.abspath(os.fspath(path))
    with disk.naming(path, _UNFINISHED), _workplace(path) as unfinished:
        yield unfinished
        os.rename(unfinished, path)


def remove_unfinished(path: PathLike, more: str = "") -> None:
    """Removes the leftovers of processes that were killed while they wrote `path`.

    A process that writes holds a lock, which ends with the process: what is locked stays. On file systems without
    locks (some network file systems) everything stays.

    Args:
        path: of the file or folder.
        more: a regular expression of suffixes: leftovers of `path` with such a suffix are removed too.
    """
    folder, name = os.path.split(os.path.realpath(os.fspath(path)))
    pattern = re.compile(rf"{re.escape(_UNFINISHED)}\w+-{re.escape(_shortened(name))}({more})")
    if fcntl is None or not os.path.isdir(folder):
        return
    for place in filter(pattern.fullmatch, os.listdir(folder)):
        _sweep(os.path.join(folder, place))


@contextlib.contextmanager
def _workplace(path):
    """A path of the same name in a locked folder beside `path`, which is removed at the end."""
    folder, name = os.path.split(path)
    os.makedirs(folder, exist_ok=True)
    remove_unfinished(path)
    lock = None
    while lock is None:  # again if another process swept it before it was locked
        place = tempfile.mkdtemp(prefix=_UNFINISHED, suffix=f"-{_shortened(name)}", dir=folder)
        lock = _lock(place)
    try:
        os.mkdir(os.path.join(place, "new"))
        yield os.path.join(place, "new", name)
    finally:
        _remove(place, lock)


def _lock(place):
    """The locked file of a new workplace; `None` if the workplace is gone."""
    try:
        lock = open(os.path.join(place, "lock"), "xb")  # noqa: SIM115
    except FileNotFoundError:
        return None
    with contextlib.suppress(OSError):  # there are no locks here
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX)
    if os.path.exists(lock.name):
        return lock
    lock.close()
    return None


def _sweep(place):
    """Removes a workplace unless a process works there."""
    try:
        lock = open(os.path.join(place, "lock"), "r+b")  # noqa: SIM115
    except FileNotFoundError:
        with contextlib.suppress(OSError):  # it is not empty
            os.rmdir(place)
        return
    except OSError:  # it is another user's, or no workplace
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return
    _remove(place, lock)


def _remove(place, lock):
    """Removes a workplace whose lock is held: the lock last, so that others see it as long as anything is left."""
    shutil.rmtree(os.path.join(place, "new"), ignore_errors=True)
    _remove_file(lock.name)
    lock.close()
    _remove_file(lock.name)  # Windows keeps what is open
    with contextlib.suppress(OSError):
        os.rmdir(place)


def _remove_file(path):
    with contextlib.suppress(OSError):
        os.remove(path)


def _shortened(name):
    """The end of a long name."""
    while len(os.fsencode(name)) > _MOST_BYTES:
        name = name[1:]
    return name
