"""Rows of tab-separated text files, with errors that name the file and the line."""

import math
import os
from collections.abc import Collection, Iterator, Mapping, Sequence

from keras_transformer.data.lines import read_lines
from keras_transformer.types import PathLike


def read_rows(
    path: PathLike,
    columns: Sequence[str],
    numbers: Mapping[str, tuple[float, float]] | None = None,
    choices: Mapping[str, Collection[str]] | None = None,
    extra_columns: bool = False,
) -> Iterator[tuple]:
    """Yields the rows of a tab-separated file, which has no header and no quoting.

    Args:
        path: a UTF-8 text file, plain or `.gz`.
        columns: the names of the columns.
        numbers: {column: (lowest, highest)} for columns of numbers within these bounds.
        choices: {column: allowed values}.
        extra_columns: whether rows may have further columns, which are yielded as well.

    Yields:
        A tuple for each line: `float` in the columns of `numbers`, `str` in the others.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: with file and line number, if a line has a different number of columns or is not UTF-8, a number is
            not a number or out of bounds, or a value is not among the choices; if the file is empty or a damaged gzip
            file.

    Example:
        >>> from keras_transformer.data import read_rows
        >>> _ = (tmp_path / "sts.tsv").write_text("4.5\\ta dog\\tthe dog\\n")
        >>> list(read_rows(tmp_path / "sts.tsv", ("score", "first", "second"), numbers={"score": (0, 5)}))
        [(4.5, 'a dog', 'the dog')]
    """
    path = os.fspath(path)
    bounds = [(numbers or {}).get(name) for name in columns]
    line = 0
    for line, text in enumerate(read_lines(path), start=1):
        row = text.split("\t")
        if len(row) < len(columns) or (len(row) > len(columns) and not extra_columns):
            or_more = " or more" if extra_columns else ""
            raise ValueError(
                f"{path}, line {line}: expected {len(columns)} columns{or_more} ({', '.join(columns)}), "
                f"separated by tabs. Received: {len(row)}"
            )
        for name, allowed in (choices or {}).items():
            if row[columns.index(name)] not in allowed:
                raise ValueError(
                    f"{path}, line {line}: expected {name} to be one of {list(allowed)}. "
                    f"Received: {row[columns.index(name)]!r}"
                )
        try:
            cells = [_number(*cell) if cell[2] else cell[1] for cell in zip(columns, row, bounds)]
            yield (*cells, *row[len(columns) :])
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}") from None
    if not line:
        raise ValueError(f"{path}, line 1: expected {', '.join(columns)}. Received: an empty file")


def _number(name, text, bounds):
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    lowest, highest = bounds
    if not lowest <= number <= highest:  # false for NaN too
        raise ValueError(f"expected a number from {lowest:g} to {highest:g}. Received: {name}={text!r}")
    return number
