"""Errors of the disk, with the name of the file."""

import contextlib
import errno
import os

# What comes while an open file is written; Python names no file then.
WHILE_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@contextlib.contextmanager
def naming(path, temporary=None):
    """Gives errors of a full or broken disk that name no file the name `path`.

    Args:
        path: of the file or folder that is written.
        temporary: what stands in the names of temporary files, which are replaced by `path` too.
    """
    try:
        yield
    except OSError as error:
        is_ours = error.filename is None or (temporary and temporary in str(error.filename))
        if not is_ours or error.errno not in WHILE_WRITING:
            raise
        raise OSError(error.errno, os.strerror(error.errno), os.fspath(path)) from error


def error_of_text(text, path):
    """The `OSError` of which a library in another language tells the text alone.

    Args:
        text: such as "/models/1/variables/variables.index; No space left on device".
        path: of the file or folder.
    """
    for number in errno.errorcode:
        if os.strerror(number) in text:
            return OSError(number, os.strerror(number), os.fspath(path))
    return OSError(f"Expected to write {path}. Received: {text}")
