"""Rows of tab-separated text files, with errors that name the file and the line."""

import math
import os

from keras_transformer.data.lines import read_lines


def read_rows(path, columns, numbers=None, choices=None, further=False):
    """Yields the rows of a file without header and without quoting, one a line; `.gz` files are unpacked.

    Args:
        path: a UTF-8 text file.
        columns: the name of each column, for errors and for `numbers`.
        numbers: {column: (lowest, highest)} of the columns that hold numbers within these bounds.
        choices: {column: the values it may have}.
        further: whether a row may have more columns than those named.

    Yields:
        A tuple of `str`, or `float` in the columns of `numbers`, for each line.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: with file and line number, at a line that has another number of columns or is not UTF-8, a number
            that is none or out of bounds, a value that is not among the choices; for a file without a line; at a
            damaged gzip stream.
    """
    path = os.fspath(path)
    bounds = [(numbers or {}).get(name) for name in columns]
    line = 0
    for line, text in enumerate(read_lines(path), start=1):
        row = text.split("\t")
        if len(row) < len(columns) or (len(row) > len(columns) and not further):
            raise ValueError(
                f"{path}, line {line}: expected {len(columns)} columns{' or more' * further} ({', '.join(columns)}), "
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
