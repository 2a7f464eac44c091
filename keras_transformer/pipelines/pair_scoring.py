"""What scorers of pairs of texts share."""

import itertools
import reprlib
import typing
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from keras_transformer import arguments
from keras_transformer.pipelines.embedding import progress_bar
from keras_transformer.pipelines.streaming import Limit, in_batches, text_rows


class RankedText(typing.NamedTuple):
    """A text that was ranked for a query.

    Attributes:
        index: where it stood among the texts, from 0.
        score: how well it fits the query, the larger the better.
        text: the text.

    Example:
        >>> from keras_transformer.pipelines import RankedText
        >>> RankedText(7, 0.9, "a dog").text
        'a dog'
    """

    index: int
    score: float
    text: str


class ScoresPairs:
    """The scores of pairs of texts, for a class that scores a batch of them.

    A subclass has `num_labels`, `labels`, `max_length` (`None` if that is unknown), and `_score_batch` and
    `_logits_of_batch`: from N first and N second texts, as `bytes`, to (scores (N, num_labels), number of tokens (N,)
    or `None`).
    """

    num_labels: int
    labels: list[str] | None
    max_length: int | None

    def score(self, pairs: Iterable[tuple[str, str]], batch_size: int = 32, show_progress: bool = False) -> np.ndarray:
        """The scores of any number of pairs.

        Pairs of about equal length go into one batch; the order is kept. A pair has the same score in any batch, to
        1e-5.

        Args:
            pairs: an iterable of (`str`, `str`).
            batch_size: pairs that are scored at once.
            show_progress: draw a bar, as `predict` does.

        Returns:
            float32 (N,), or the probabilities of the classes (N, num_labels). A warning says which pairs were
            truncated, counted from 1, and how many.

        Raises:
            ValueError: for a batch size below 1, and what is no pair of strings.
        """
        return self._scores(self._score_batch, pairs, batch_size, show_progress)

    def logits(self, pairs: Iterable[tuple[str, str]], batch_size: int = 32) -> np.ndarray:
        """As `score`, before the sigmoid or softmax: what a student's margins are trained for."""
        return self._scores(self._logits_of_batch, pairs, batch_size, False)

    def classify(self, pairs: Iterable[tuple[str, str]], batch_size: int = 32) -> list[str]:
        """The likeliest class of each pair.

        Raises:
            ValueError: for a scorer without `labels`, and as `score`.
        """
        if self.labels is None:
            raise ValueError("Expected a scorer with labels. Received: one without")
        labels = self.labels
        return [labels[number] for number in self.score(pairs, batch_size).argmax(axis=1).tolist()]

    def rank(
        self, query: str, texts: Sequence[str], top_k: int | None = None, batch_size: int = 32
    ) -> list[RankedText]:
        """Texts by their scores with a query, the best first.

        Args:
            query: the first text of each pair.
            texts: a list of `str`.
            top_k: how many are wanted; by default all.
            batch_size: as for `score`.

        Returns:
            A list of `RankedText`; of equal scores the earlier text comes first.

        Raises:
            ValueError: for a scorer of classes, a `top_k` below 1, a single string as texts, and as `score`.
        """
        if isinstance(texts, (str, bytes)):
            raise ValueError(f"Expected a list of strings. Received a single one: {reprlib.repr(texts)}")
        arguments.optional_positive_integer("top_k", top_k)
        check_one_score(self)
        scores = self.score(((query, text) for text in texts), batch_size)
        order = np.argsort(-scores, kind="stable")[:top_k]
        return [RankedText(int(index), float(scores[index]), texts[index]) for index in order]

    def _scores(self, score_batch, pairs, batch_size, show_progress):
        bar = progress_bar(pairs) if show_progress else None
        first, second = itertools.tee(_checked(pairs))  # read together: one is at most a pair ahead
        rows = text_rows(first=(pair[0] for pair in first), second=(pair[1] for pair in second))
        limit = Limit("max_length", self.max_length, "scored")
        scores = in_batches(rows, batch_size, score_batch, limit, bar, stacklevel=4)
        scores = np.fromiter(scores, np.dtype((np.float32, (self.num_labels,))))
        return scores[:, 0] if self.num_labels == 1 else scores


def check_one_score(scorer: ScoresPairs) -> None:
    """`ValueError` for a scorer that gives several scores of a pair, by which nothing can be ranked."""
    if scorer.num_labels != 1:
        raise ValueError(f"Expected a scorer with one score of a pair. Received: one of {scorer.num_labels} classes")


def _checked(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for number, pair in enumerate(pairs, start=1):
        if isinstance(pair, (str, bytes)) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise ValueError(f"Expected pairs of strings. Received: {pair!r} (number {number})")
        yield pair
