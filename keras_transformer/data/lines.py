"""Lines of UTF-8 text files, plain or gzipped, with errors that name the file and the line."""

import codecs
import gzip
import itertools
import os
import zlib

from keras_transformer import lfs


def as_paths(paths):
    """One path or several as a list of strings."""
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


def read_lines(paths):
    """Yields the lines, without their ends, of one file after the other; `.gz` files are unpacked.

    "\\n" (or "\\r\\n") ends a line, so that other separators of Unicode stay inside it; in a file without any "\\n",
    "\\r" does, as on old Macs. A byte order mark at the start of a file is no part of its first line.

    Args:
        paths: one path or several.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: with file and line number, at a line that is not UTF-8 or a damaged gzip stream; for a file that Git
            LFS has not fetched.
    """
    for path in as_paths(paths):
        if lfs.is_pointer(path):
            raise ValueError(f"Expected a text file. Received: {path}, {lfs.POINTER}")
        with _open(path) as file:
            yield from decoded_lines(file, path)


def has_plain_lines(path):
    """Whether the lines of a file are what stands between its "\\n"s, for readers that know no more."""
    with _open(path) as file:
        first = file.readline()
    is_all = not first.endswith(b"\n")
    return not first.startswith(codecs.BOM_UTF8) and not (is_all and b"\r" in first)


def decoded_lines(file, name):
    """Yields the lines of an open binary file, as `read_lines` does; `name` stands in its errors.

    Raises:
        ValueError: with name and line number, at a line that is not UTF-8 or a damaged gzip stream.
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
    """Yields the lines of an open binary file without their ends, and without a byte order mark."""
    file = iter(file)
    first = next(file, b"").removeprefix(codecs.BOM_UTF8)
    if not first.endswith(b"\n"):  # All that there is
        yield from first.removesuffix(b"\r").split(b"\r") if first else ()
        return
    for line in itertools.chain([first], file):
        yield line.rstrip(b"\n").removesuffix(b"\r")
