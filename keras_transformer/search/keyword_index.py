import re
from collections.abc import Callable, Iterable

import numpy as np

from keras_transformer import arguments
from keras_transformer.search.names import EXTRA
from keras_transformer.search.nearest import Best, checked_mask
from keras_transformer.types import Tensor

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of a text: letters and digits without case.

    Example:
        >>> from keras_transformer.search.keyword_index import words
        >>> words("A dog's ÄRGER, 3 漢字")
        ['a', 'dog', 's', 'ärger', '3', '漢字']
    """
    return _WORD.findall(text.casefold())


class KeywordIndex:
    """Texts that are found by the words they share with a query: BM25, by the library bm25s (the extra "search").

    Args:
        texts: an iterable of N `str`.
        tokenize: from a text to its words, or to its subwords where words are not parted by blanks.

    Raises:
        ImportError: without bm25s.

    References:
        Robertson and Zaragoza, 2009, "The Probabilistic Relevance Framework: BM25 and Beyond".

    Example:
        >>> from keras_transformer.search import KeywordIndex
        >>> index = KeywordIndex(["a dog runs", "a cat", "no dog, no cat"])
        >>> [[row for row, score in found] for found in index.search(["The cat", "horse"])]
        [[1, 2], []]
    """

    def __init__(self, texts: Iterable[str], tokenize: Callable[[str], list[str]] = words):
        self._tokenize = tokenize
        tokens = [tokenize(text) for text in texts]
        self._length = len(tokens)
        self._bm25 = _bm25s().BM25()
        if any(tokens):  # else there is no vocabulary
            self._bm25.index(tokens, show_progress=False)
            self._known = {token for some in tokens for token in some}
        else:
            self._known = set()

    def __len__(self) -> int:
        return self._length

    def search(
        self, queries: Iterable[str], top_k: int = 10, mask: Tensor | None = None
    ) -> list[list[tuple[int, float]]]:
        """The texts with the largest BM25 scores.

        Args:
            queries: an iterable of `str`.
            top_k: how many are wanted.
            mask: boolean (N,): only texts where it is true are found.

        Returns:
            For each query a list of (number of the text, score), the best first, of equal ones those of lower numbers.
            Texts without any of the query's words are not found.

        Raises:
            ValueError: for a `top_k` below 1, and a mask of another shape.
        """
        arguments.positive_integer("top_k", top_k)
        mask = checked_mask(mask, len(self))
        return [self._search(self._tokenize(query), top_k, mask) for query in queries]

    def _search(self, tokens, top_k, mask):
        known = [token for token in tokens if token in self._known]
        if not known:
            return []
        scores = self._bm25.get_scores(known)
        rows = np.flatnonzero(scores > 0 if mask is None else (scores > 0) & mask)
        best = Best(1, top_k)
        best.update(rows, scores[rows][None])
        ids, found = best.result()
        return list(zip(ids[0].tolist(), found[0].tolist()))


def _bm25s():
    try:
        import bm25s
    except ImportError as error:
        raise ImportError(f"Expected bm25s for a search by words: {EXTRA}. Received: {error}") from error
    return bm25s
