"""A disk on which large files fail."""

import contextlib
import resource


@contextlib.contextmanager
def small_files(size):
    """Meanwhile this process writes no file of more than `size` bytes: `OSError` 27."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
