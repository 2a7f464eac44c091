"""Writes a stream of vectors to a file: a NumPy array, or lines of JSON."""

import json
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:  # NumPy is imported when vectors are written
    import numpy as np

_FLOAT_DIGITS = 9  # give a float32 back exactly


def writer(path: str) -> Callable[..., None]:
    """The function that writes the format of a file name.

    Raises:
        ValueError: for another ending than .npy and .jsonl.
    """
    writers = {".npy": write_array, ".jsonl": write_json_lines}
    ending = os.path.splitext(path)[1]
    if ending not in writers:
        raise ValueError(f"Expected an output that ends in .npy or .jsonl. Received: {path}")
    return writers[ending]


def write_array(pairs: Iterable[tuple[str, "np.ndarray"]], width: int, file: BinaryIO) -> None:
    """Writes a float32 array (N, D) that `numpy.load` reads, or maps into memory.

    Args:
        pairs: an iterable of (text, vector).
        width: D.
        file: open for binary writing, at its start, seekable.
    """
    count = 0
    _write_header(file, count, width)
    for _, vector in pairs:
        file.write(vector.astype("<f4", copy=False).tobytes())
        count += 1
    # The number of vectors is known at the end; NumPy leaves room for it.
    file.seek(0)
    _write_header(file, count, width)


def write_json_lines(pairs: Iterable[tuple[str, "np.ndarray"]], width: int, file: BinaryIO) -> None:
    """Writes {"text": ..., "embedding": [...]} for each pair, a line each, in UTF-8.

    Args:
        pairs: an iterable of (text, vector).
        width: of the vectors.
        file: open for binary writing.
    """
    for text, vector in pairs:
        embedding = [float(f"{x:.{_FLOAT_DIGITS}g}") for x in vector.tolist()]
        line = json.dumps({"text": text, "embedding": embedding}, ensure_ascii=False)
        file.write(f"{line}\n".encode())


def _write_header(file, count, width):
    from numpy.lib import format

    format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (count, width)})
