"""Lines of UTF-8 text files, plain or gzipped, with errors that name the file and the line."""

import codecs
import gzip
import itertools
import os
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from keras_transformer import lfs
from keras_transformer.types import PathLike


def as_paths(paths: PathLike | Iterable[PathLike]) -> list[str]:
    """One path or several as a list of `str`.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if there are no paths.
    """
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    paths = [os.fspath(path) for path in paths]
    if not paths:
        raise ValueError("Expected at least one file. Received none")
    for path in paths:
        if not os.path.isfile(path):
            missing = "" if os.path.lexists(path) else ", which does not exist"
            raise FileNotFoundError(f"Expected a text file. Received: {path}{missing}")
    return paths


def read_lines(paths: PathLike | Iterable[PathLike]) -> Iterator[str]:
    """Yields the lines of text files, one file after the other, without line ends.

    Lines end with "\\n" or "\\r\\n", in a file without any "\\n" with "\\r", as on old Macs; other line separators of
    Unicode do not end a line. A byte order mark at the start of a file is skipped.

    Args:
        paths: path of a UTF-8 file, plain or `.gz`, or several of them.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: with file and line number, if a line is not UTF-8 or a gzip file is damaged; if Git LFS has not
            fetched a file.

    Example:
        >>> from keras_transformer.data import read_lines
        >>> _ = (tmp_path / "a.txt").write_text("a red dog\\nruns\\n")
        >>> list(read_lines(tmp_path / "a.txt"))
        ['a red dog', 'runs']
    """
    for path in as_paths(paths):
        if lfs.is_pointer(path):
            raise ValueError(f"Expected a text file. Received: {path}, {lfs.POINTER}")
        with _open(path) as file:
            yield from decoded_lines(file, path)


def has_plain_lines(path: str) -> bool:
    """Whether readers that only know "\\n" find the lines of a file: it has no byte order mark, and no "\\r" alone."""
    with _open(path) as file:
        first = file.readline()
    only_line = not first.endswith(b"\n")
    return not first.startswith(codecs.BOM_UTF8) and not (only_line and b"\r" in first)


def decoded_lines(file: BinaryIO | gzip.GzipFile, name: str) -> Iterator[str]:
    """Yields the lines of an open binary file, as `read_lines` does.

    Raises:
        ValueError: with `name` and line number, if a line is not UTF-8 or a gzip file is damaged.
    """
    number = 0
    try:
        for line in _lines(file):
            number += 1
            yield line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name}, line {number}: expected UTF-8. Received: byte "
            f"0x{error.object[error.start]:02x} at column {error.start + 1} ({error.reason})"
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{name}, after line {number}: damaged gzip file ({error})") from error


def _open(path):
    return gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")


def _lines(file):
    """Yields the lines of an open binary file, without line ends and byte order mark."""
    file = iter(file)
    first = next(file, b"").removeprefix(codecs.BOM_UTF8)
    if not first.endswith(b"\n"):  # the only line
        yield from first.removesuffix(b"\r").split(b"\r") if first else ()
        return
    for line in itertools.chain([first], file):
        yield line.rstrip(b"\n").removesuffix(b"\r")
