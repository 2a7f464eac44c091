"""Pairs of sentences with gold scores of their similarity, in the files that the SemEval tasks come in."""

import glob
import os
from typing import NamedTuple

from keras_transformer.data.lines import as_paths, read_lines
from keras_transformer.data.tab_separated import read_rows
from keras_transformer.types import PathLike

_COLUMNS = ("score", "sentence1", "sentence2")
_STSB_COLUMNS = ("genre", "file", "year", "id", *_COLUMNS)
_SICK = {"sentence_A", "sentence_B", "relatedness_score"}
_INPUT, _GOLD = "STS.input.", "STS.gs."
_BOUNDS = (0, 5)


class ScoredPairs(NamedTuple):
    """Pairs of sentences and how alike they are, from 0 to 5.

    Attributes:
        scores: N `float`.
        first: N `str`.
        second: N `str`.

    Example:
        >>> from keras_transformer.data import ScoredPairs
        >>> ScoredPairs([4.5], ["a dog"], ["the dog"]).scores
        [4.5]
    """

    scores: list[float]
    first: list[str]
    second: list[str]


def read_scored_pairs(path: PathLike) -> ScoredPairs:
    """Reads what a task of semantic textual similarity is published in, told apart by names and columns.

    - STS12 to STS17: `STS.input.NAME.txt` (sentence, sentence), with the scores in `STS.gs.NAME.txt` beside it; or a
      folder, with the pairs of all such files in the order of their names. Pairs without a score are left out.
    - SICK: a header that names `sentence_A`, `sentence_B` and `relatedness_score`; all rows are read.
    - The STS benchmark's `sts-dev.csv` and the like: genre, file, year, id, score, sentence, sentence, and more.
    - Any other file: score, sentence, sentence, without header.

    Columns are separated by tabs, and nothing is quoted.

    Args:
        path: a UTF-8 text file, plain or `.gz`, or a folder of STS files.

    Returns:
        `ScoredPairs`.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: with file and line number, if a line has other columns, or a score is no number from 0 to 5; if a
            file is empty, or has no scored pair.

    Example:
        >>> from keras_transformer.data import read_scored_pairs
        >>> _ = (tmp_path / "STS.input.news.txt").write_text("a dog\\tthe dog\\na\\tb\\n")
        >>> _ = (tmp_path / "STS.gs.news.txt").write_text("4.5\\n\\n")
        >>> read_scored_pairs(tmp_path)
        ScoredPairs(scores=[4.5], first=['a dog'], second=['the dog'])

    References:
        Agirre et al., 2012 to 2016, and Cer et al., 2017, the SemEval tasks "Semantic Textual Similarity"; Marelli et
        al., 2014, "A SICK cure for the evaluation of compositional distributional semantic models".
    """
    rows = [row for file in scored_pair_files([os.fspath(path)]) if not _is_gold(file) for row in _rows(file)]
    if not rows:
        raise ValueError(f"{os.fspath(path)}: expected scored pairs. Received none")
    return ScoredPairs(*(list(column) for column in zip(*rows)))


def scored_pair_files(paths: list[str]) -> list[str]:
    """The files that `read_scored_pairs` reads of each path: of folders those of STS, and the gold scores of each.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: for a folder without STS files.
    """
    files = []
    for path in paths:
        found = [path]
        if os.path.isdir(path):
            found = sorted(glob.glob(os.path.join(glob.escape(path), f"{_INPUT}*.txt*")))
            if not found:
                raise ValueError(f"Expected files {_INPUT}NAME.txt in a folder. Received none in {path}")
        files += [file for name in found for file in (name, *_gold_files(name))]
    return as_paths(files)


def _gold_files(path):
    folder, name = os.path.split(path)
    return [os.path.join(folder, _GOLD + name.removeprefix(_INPUT))] if name.startswith(_INPUT) else []


def _is_gold(path):
    return os.path.basename(path).startswith(_GOLD)


def _rows(path):
    """Yields (score, sentence, sentence)."""
    first = next(read_lines(path), "").split("\t")
    if gold := _gold_files(path):
        yield from _sts_rows(path, *gold)
    elif set(first) >= _SICK:
        yield from _sick_rows(path, first)
    elif len(first) >= len(_STSB_COLUMNS):
        for row in read_rows(path, _STSB_COLUMNS, {"score": _BOUNDS}, extra_columns=True):
            yield row[4:7]
    else:
        yield from read_rows(path, _COLUMNS, {"score": _BOUNDS})


def _sts_rows(path, gold):
    scores = list(read_lines(gold))
    pairs = list(read_rows(path, ("sentence1", "sentence2"), extra_columns=True))
    if len(scores) != len(pairs):
        raise ValueError(f"{gold}: expected a line for each of {len(pairs)} pairs of {path}. Received: {len(scores)}")
    for line, (score, pair) in enumerate(zip(scores, pairs), start=1):
        if score.strip():
            yield _score(gold, line, score), *pair[:2]


def _sick_rows(path, header):
    places = [header.index(name) for name in ("relatedness_score", "sentence_A", "sentence_B")]
    for line, row in enumerate(read_rows(path, header), start=1):
        if line > 1:
            score, first, second = (row[place] for place in places)
            yield _score(path, line, score), first, second


def _score(path, line, text):
    try:
        score = float(text)
    except ValueError:
        score = -1
    if not _BOUNDS[0] <= score <= _BOUNDS[1]:
        raise ValueError(f"{path}, line {line}: expected a number from 0 to 5. Received: score={text!r}")
    return score
