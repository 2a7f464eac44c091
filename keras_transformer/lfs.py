"""Git LFS pointers: what a checkout has in the place of a file that Git LFS has not fetched."""

from collections.abc import Callable
from typing import Any

from keras_transformer.types import PathLike

_START = b"version https://git-lfs.github.com/spec/"
POINTER = "a Git LFS pointer: `git lfs pull` fetches the file that it stands for"


def is_pointer(path: PathLike, open_file: Callable[..., Any] = open) -> bool:
    """Whether the file at `path` is a Git LFS pointer.

    Args:
        path: of a file.
        open_file: opens it for reading bytes, as `open` does.
    """
    with open_file(path, "rb") as file:
        return file.read(len(_START)) == _START
