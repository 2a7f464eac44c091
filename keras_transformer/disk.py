"""Errors of a full or broken disk, with the name of the file."""

import contextlib
import errno
import os
from collections.abc import Iterator

from keras_transformer.types import PathLike

# Errors while an open file is written, for which Python names no file.
WHILE_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@contextlib.contextmanager
def naming(path: PathLike, temporary: str | None = None) -> Iterator[None]:
    """Adds the name `path` to errors of a full or broken disk that name no file.

    Args:
        path: of the file or folder that is written.
        temporary: a part of the names of temporary files; `path` replaces these names too.
    """
    try:
        yield
    except OSError as error:
        is_ours = error.filename is None or (temporary and temporary in str(error.filename))
        if not is_ours or error.errno not in WHILE_WRITING:
            raise
        raise OSError(error.errno, os.strerror(error.errno), os.fspath(path)) from error


def error_of_text(text: str, path: PathLike) -> OSError:
    """The `OSError` for an error of which a library gives the text alone.

    Args:
        text: such as "/models/1/variables/variables.index; No space left on device".
        path: of the file or folder.
    """
    for number in errno.errorcode:
        if os.strerror(number) in text:
            return OSError(number, os.strerror(number), os.fspath(path))
    return OSError(f"Expected to write {path}. Received: {text}")
