"""What sentence encoders learn from, as it stands in files: rows, neighbouring lines, vectors."""

import math
import os
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from keras_transformer import lfs
from keras_transformer.data.lines import as_paths, read_lines
from keras_transformer.data.tab_separated import read_rows
from keras_transformer.types import PathLike

Paths: TypeAlias = PathLike | Sequence[PathLike]


def read_all_rows(paths: Paths, columns: Sequence[str], **checks: Any) -> list[tuple]:
    """The rows of several files, as `read_rows` yields those of one."""
    return [row for path in as_paths(paths) for row in read_rows(path, columns, **checks)]


def read_neighbours(paths: Paths) -> list[tuple[str, str]]:
    """Each line of plain text with the next one of its document; blank lines, and files, end documents."""
    rows = []
    for path in as_paths(paths):
        previous = ""
        for line in read_lines(path):
            line = line.strip()
            if line and previous:
                rows.append((previous, line))
            previous = line
    return rows


def read_candidates(paths: Paths) -> tuple[list[tuple[str, ...]], list[list[float]]]:
    """Rows of scores, a query, and as many candidates as scores: the texts of each row, and its scores.

    Raises:
        ValueError: with file and line, for a score that is no number, and another number of columns.
    """
    texts, scores = [], []
    for path in as_paths(paths):
        columns = ("score1", "score2", "query", "candidate1", "candidate2")
        for line, row in enumerate(read_rows(path, columns, extra_columns=True), start=1):
            count = len(row) // 2
            if len(row) % 2 == 0 or (scores and count != len(scores[0])):
                expected = f"{2 * len(scores[0]) + 1} columns" if scores else "as many scores as candidates"
                raise ValueError(f"{path}, line {line}: expected {expected}, and a query. Received: {len(row)} columns")
            try:
                numbers = [float(text) for text in row[:count]]
            except ValueError:
                numbers = [math.nan]
            if not all(map(math.isfinite, numbers)):
                raise ValueError(f"{path}, line {line}: expected {count} scores first. Received: {list(row[:count])}")
            texts.append(row[count:])
            scores.append(numbers)
    return texts, scores


def read_vectors(path: PathLike) -> np.ndarray:
    """The array of an `.npy` file, mapped into memory.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged or something else.
    """
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise
    except Exception as error:  # of any kind: NumPy parses the file's header as Python
        fault = (
            lfs.POINTER if os.path.isfile(path) and lfs.is_pointer(path) else f"damaged, or something else ({error})"
        )
        raise ValueError(f"Expected an .npy file of vectors. Received {path}: it is {fault}") from error
    if not isinstance(vectors, np.ndarray) or vectors.dtype.kind not in "fiu":
        raise ValueError(f"Expected an .npy file of vectors. Received {path}: it is no array of numbers")
    return vectors
