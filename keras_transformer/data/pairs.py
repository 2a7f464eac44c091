"""Aligned texts: two lists of files, line by line, or tab-separated files with both sides."""

import itertools
from collections.abc import Iterable, Iterator

from keras_transformer.data.lines import as_paths, read_lines
from keras_transformer.data.tab_separated import read_rows
from keras_transformer.types import PathLike

_COLUMNS = ("source", "target")


def count_pairs(source: PathLike | Iterable[PathLike], target: PathLike | Iterable[PathLike] | None = None) -> int:
    """Counts the pairs of aligned texts, and checks that they are aligned.

    Args:
        source: path or paths of UTF-8 text files, plain or `.gz`.
        target: the same for the other side; `None` if the files of `source` are tab-separated, with both sides.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: with file and line number, if one text is shorter than the other, a line is not UTF-8, or a line of
            a tab-separated file does not have two columns; if there are no lines.

    Example:
        >>> from keras_transformer.data import count_pairs
        >>> _ = (tmp_path / "pairs.tsv").write_text("a dog\\tein Hund\\nred\\trot\\n")
        >>> count_pairs(tmp_path / "pairs.tsv")
        2
    """
    if target is None:
        return sum(1 for _ in read_column(as_paths(source), 0))
    source, target = as_paths(source), as_paths(target)
    count = 0
    missing = object()
    for lines in itertools.zip_longest(read_lines(source), read_lines(target), fillvalue=missing):
        if missing in lines:
            ended, other = (source, target) if lines[0] is missing else (target, source)
            raise ValueError(
                f"Expected as many lines in {', '.join(source)} as in {', '.join(target)}. "
                f"Received: {', '.join(ended)} ends after line {count}, "
                f"{', '.join(other)} has a line {count + 1}"
            )
        count += 1
    if not count:
        raise ValueError(f"Expected lines of text. Received empty files: {source}, {target}")
    return count


def read_column(paths: Iterable[PathLike], number: int) -> Iterator[str]:
    """Yields the sources (column 0) or targets (column 1) of tab-separated files."""
    for path in paths:
        for row in read_rows(path, _COLUMNS):
            yield row[number]
