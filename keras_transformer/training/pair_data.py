"""What a scorer of pairs learns from: pairs of texts, and what is to be said of them."""

import math
from collections.abc import Sequence
from typing import Self

import numpy as np

from keras_transformer.training import fingerprints
from keras_transformer.training.task_files import Paths, read_all_rows
from keras_transformer.types import Config, Tensor


class PairData:
    """Pairs of texts with targets.

    Class methods read the kinds of files there are; files are tab-separated, plain or .gz, without a header.

    Args:
        pairs: a sequence of (first text, second text).
        targets: (number of pairs,), what a scorer is to say of them: floating, from 0 to 1, for the sigmoid of one
            score (binary cross-entropy); floating, of any size, for "linear" scores (squared error); or integers, the
            numbers of classes.
        labels: the names of the classes.
        activation: of the scorer: "sigmoid", "linear" or, with labels, "softmax".

    Raises:
        ValueError: without pairs, for pairs and targets of unequal number, an activation that does not fit, and
            targets that do not fit the activation.

    Example:
        >>> _ = (tmp_path / "pairs.tsv").write_text("1\\ta dog\\ta hound\\n0\\ta dog\\train\\n")
        >>> data = keras_transformer.training.PairData.matches(tmp_path / "pairs.tsv")
        >>> data.pairs[0], data.targets, data.activation
        (('a dog', 'a hound'), array([1., 0.], dtype=float32), 'sigmoid')
    """

    def __init__(
        self,
        pairs: Sequence[tuple[str, str]],
        targets: Tensor,
        labels: Sequence[str] | None = None,
        activation: str = "sigmoid",
    ):
        self.pairs = list(map(tuple, pairs))
        bad = (pair for pair, given in zip(self.pairs, pairs) if len(pair) != 2 or isinstance(given, str))
        for pair in bad:
            raise ValueError(f"Expected pairs of strings. Received: {pair!r}")
        self.labels = list(labels) if labels else None
        self.activation = "softmax" if labels else activation
        if self.activation not in ("sigmoid", "linear", "softmax") or (activation == "softmax" and not labels):
            raise ValueError(f"Expected sigmoid or linear, or labels. Received: activation={activation!r}")
        self.targets = np.asarray(targets, "int32" if self.labels else "float32")
        if not self.pairs or self.targets.shape != (len(self.pairs),):
            received = f"{len(self.pairs)}, and targets of shape {self.targets.shape}"
            raise ValueError(f"Expected pairs, and as many targets. Received: {received}")
        if self.labels and (self.targets != np.asarray(targets)).any():
            raise ValueError(f"Expected whole numbers, of classes. Received: {np.asarray(targets)!r:.100}")
        low, high = {"sigmoid": (0, 1), "softmax": (0, len(self.labels or ()) - 1)}.get(
            self.activation, (-math.inf, math.inf)
        )
        if not (np.isfinite(self.targets).all() and low <= self.targets.min() and self.targets.max() <= high):
            raise ValueError(
                f"Expected targets from {low} to {high} for activation={self.activation!r}. Received: "
                f"{self.targets.min():g} to {self.targets.max():g}"
            )

    @classmethod
    def matches(cls, paths: Paths) -> Self:
        """Rows of 1 or 0, text, text: do the two belong together?"""
        rows = read_all_rows(paths, ("label", "first", "second"), choices={"label": ("0", "1")})
        return cls([row[1:] for row in rows], [int(row[0]) for row in rows])

    @classmethod
    def similarity(cls, paths: Paths) -> Self:
        """Rows of score, text, text: scores from 0 to 5, as of the STS benchmark, which become 0 to 1."""
        rows = read_all_rows(paths, ("score", "first", "second"), numbers={"score": (0, 5)})
        return cls([row[1:] for row in rows], [row[0] / 5 for row in rows])

    @classmethod
    def scores(cls, paths: Paths) -> Self:
        """Rows of score, text, text: numbers of any size, a teacher's for example."""
        rows = read_all_rows(paths, ("score", "first", "second"), numbers={"score": (-1e30, 1e30)})
        return cls([row[1:] for row in rows], [row[0] for row in rows], activation="linear")

    @classmethod
    def ranking(cls, paths: Paths) -> Self:
        """Rows of query, right text, and any number of wrong ones, as `mine` writes them: pairs with the query."""
        pairs, targets = [], []
        for query, *texts in read_all_rows(paths, ("query", "right"), extra_columns=True):
            pairs += [(query, text) for text in texts]
            targets += [1, *[0] * (len(texts) - 1)]
        return cls(pairs, targets)

    @classmethod
    def classes(cls, paths: Paths, labels: Sequence[str] | None = None) -> Self:
        """Rows of class, text, text: premises and hypotheses, for example.

        Args:
            paths: text files.
            labels: the names of the classes, in the order that they are to have; by default those of the file, sorted.

        Raises:
            ValueError: with file and line, for a class that is not among `labels`; for fewer than two classes.
        """
        choices = {} if labels is None else {"class": labels}
        rows = read_all_rows(paths, ("class", "first", "second"), choices=choices)
        labels = sorted({row[0] for row in rows}) if labels is None else list(labels)
        if len(labels) < 2:
            raise ValueError(f"Expected at least two classes. Received: {labels}")
        return cls([row[1:] for row in rows], [labels.index(row[0]) for row in rows], labels)

    def description(self) -> Config:
        """All that decides what is learned from it, in what JSON can hold; the data as fingerprints."""
        columns = ([pair[number] for pair in self.pairs] for number in (0, 1))
        return {
            "rows": len(self.pairs),
            "activation": self.activation,
            "labels": self.labels,
            "data": fingerprints.fingerprint(*columns, self.targets),
        }
