"""Questions with their answers, and maybe the contexts that these stand in."""

import itertools
from collections.abc import Iterable

from keras_transformer.data.lines import as_paths, read_lines
from keras_transformer.data.tab_separated import read_rows
from keras_transformer.types import PathLike

_COLUMNS = ("question", "answer", "context")


def read_answers(paths: PathLike | Iterable[PathLike]) -> list[tuple[str, ...]]:
    """Reads tab-separated files of question, answer and, in all rows or in none, the context of the answer.

    Args:
        paths: path or paths of UTF-8 text files, plain or `.gz`, without header and quoting.

    Returns:
        A list of (question, answer), or of (question, answer, context).

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: with file and line number, if the first line has neither two columns nor three, or another line not
            as many as the first; if a line is not UTF-8, and if a file is empty.

    Example:
        >>> from keras_transformer.data import read_answers
        >>> _ = (tmp_path / "answers.tsv").write_text("How long is a week?\\tSeven days.\\n")
        >>> read_answers(tmp_path / "answers.tsv")
        [('How long is a week?', 'Seven days.')]
    """
    paths = as_paths(paths)
    count = 2
    for first in itertools.islice(read_lines(paths[0]), 1):
        count = first.count("\t") + 1
        if count not in (2, 3):
            raise ValueError(
                f"{paths[0]}, line 1: expected {', '.join(_COLUMNS[:2])} or {', '.join(_COLUMNS)}, separated by tabs. "
                f"Received: {count} column{'s' * (count > 1)}"
            )
    return [row for path in paths for row in read_rows(path, _COLUMNS[:count])]
