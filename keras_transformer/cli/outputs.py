"""Checks of the files and folders that a command is to write, before time is spent on models."""

import os
import stat
from collections.abc import Iterable, Sequence

STANDARD_INPUT, STANDARD_OUTPUT = 0, 1  # in the place of paths


def check_outputs(
    outputs: Iterable[tuple[str, str | int | None]],
    inputs: Sequence[str | int],
    overwrite: bool = False,
    folders: Iterable[tuple[str, str | None]] = (),
) -> None:
    """Refuses to write to a file that the command reads, twice to the same file, and to an existing file unasked.

    Args:
        outputs: a list of (option, path); the path is `None` for an option that was not given.
        inputs: paths of what the command reads: files, and folders of files.
        overwrite: whether `--overwrite` was given.
        folders: as `outputs`, of folders to make; nothing may be there, whatever `overwrite` is.

    Raises:
        FileExistsError: for a file that exists, without `overwrite`, and for what is in the place of a new folder.
        IsADirectoryError: for a folder in the place of a file.
        OSError: for a path that no file can have.
        ValueError: for an input, and for two options of the same path.
    """
    outputs = [(option, path) for option, path in outputs if path is not None]
    folders = [(option, path) for option, path in folders if path is not None]
    both = outputs + folders
    for number, (option, path) in enumerate(both):
        for file in _files(inputs):
            if _are_the_same(path, file):
                raise ValueError(f"Expected {option} to be no file that is read. Received: {_name(path, file)}")
        for other_option, other in both[:number]:
            if _are_the_same(path, other):
                raise ValueError(f"Expected different paths for {other_option} and {option}. Received: {path}")
    for option, path in outputs:
        if path != STANDARD_OUTPUT:
            _check_free(option, path, overwrite)
    for option, path in folders:
        _check_new(option, path)


def check_folder(option: str, path: str) -> None:
    """Refuses a path that is no folder; a folder may exist already or not."""
    if not path or (os.path.lexists(path) and not os.path.isdir(path)):
        raise NotADirectoryError(f"Expected a folder for {option}. Received: {path or repr(path)}")


def check_training_outputs(folder: str, names: Iterable[str], inputs: Sequence[str]) -> None:
    """Refuses a training whose files, with these names, would replace what it reads."""
    paths = [os.path.join(folder, name) for name in (*names, "history.csv")]
    check_outputs([("--out", path) for path in paths], inputs, overwrite=True)


def _check_free(option, path, overwrite):
    if not path:
        raise ValueError(f"Expected the name of a file for {option}. Received: ''")
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        if not os.path.islink(path):
            return
        mode = stat.S_IFREG  # a link to a file that is not there, and would be made
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"Expected a file for {option}. Received a folder: {path}")
    if stat.S_ISREG(mode) and not overwrite:
        raise FileExistsError(f"Expected {option} not to exist, or --overwrite. Received: {path}")


def _check_new(option, path):
    if not path:
        raise ValueError(f"Expected the name of a folder for {option}. Received: ''")
    if os.path.lexists(path):
        raise FileExistsError(f"Expected {option} not to exist. Received: {path}")


def _files(paths):
    """The paths, and the files in those of folders."""
    for path in paths:
        if path != STANDARD_INPUT and os.path.isdir(path):
            for folder, _, names in os.walk(path):
                yield from (os.path.join(folder, name) for name in names)
        else:
            yield path


def _are_the_same(one, other):
    """Whether two paths are of one file; devices and pipes may be read and written."""
    try:
        return os.path.samefile(one, other) and stat.S_ISREG(os.stat(one).st_mode)
    except OSError:  # one is not there
        pass
    if STANDARD_INPUT in (one, other) or STANDARD_OUTPUT in (one, other):
        return False
    return os.path.realpath(one) == os.path.realpath(other)


def _name(path, file):
    """The two names of a file, or the one."""
    names = {STANDARD_INPUT: "standard input", STANDARD_OUTPUT: "standard output"}
    path, file = names.get(path, path), names.get(file, file)
    return path if path == file else f"{path}, which is {file}"
