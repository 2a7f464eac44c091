"""Lines of UTF-8 text files, plain or gzipped, with errors that name the file and the line."""

import gzip
import os
import zlib


def as_paths(paths):
    """One path or several as a list of strings."""
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    paths = [os.fspath(path) for path in paths]
    if not paths:
        raise ValueError("Expected at least one file. Received none")
    for path in paths:
        if not os.path.isfile(path):
            raise FileNotFoundError(f"Expected a text file. Received: {path}")
    return paths


def read_lines(paths):
    """Yields the lines, without their ends, of one file after the other; `.gz` files are unpacked.

    Only "\\n" (or "\\r\\n") ends a line, so that other separators of Unicode stay inside it.

    Args:
        paths: one path or several.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: with file and line number, at a line that is not UTF-8 or a damaged gzip stream.
    """
    for path in as_paths(paths):
        opener = gzip.open if path.endswith(".gz") else open
        with opener(path, "rb") as file:
            yield from decoded_lines(file, path)


def decoded_lines(file, name):
    """Yields the lines, without their ends, of an open binary file; `name` stands in its errors.

    Raises:
        ValueError: with name and line number, at a line that is not UTF-8 or a damaged gzip stream.
    """
    number = 0
    try:
        for line in file:
            number += 1
            yield line.rstrip(b"\n").removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name}, line {number}: expected UTF-8. Received: byte "
            f"0x{error.object[error.start]:02x} at column {error.start + 1} ({error.reason})"
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{name}, after line {number}: damaged gzip file ({error})") from error
