from collections.abc import Callable, Sequence

import numpy as np

from keras_transformer import arguments
from keras_transformer.search.keyword_index import KeywordIndex, words
from keras_transformer.search.nearest import checked_mask
from keras_transformer.search.rank_fusion import reciprocal_rank_fusion
from keras_transformer.search.semantic_index import Hit, SemanticIndex
from keras_transformer.types import Tensor


class HybridIndex:
    """Texts that are found by what they mean and by the words they share with a query.

    The ranking of a `SemanticIndex` and that of BM25 are merged by reciprocal rank fusion. What is rare in the
    training of an encoder (names, numbers, codes) is found by its letters.

    Args:
        index: with an embedder. The words of its texts are counted now, and anew when texts were added or removed.
        tokenize: from a text to its words, for BM25.
        num_candidates: how many of each ranking are merged.
        k: of the fusion.
        weights: of the meaning and of the words in the fusion.

    Raises:
        ImportError: without bm25s, of the extra "search".
        ValueError: for numbers below 1, and weights that are not two or below 0.

    References:
        Cormack et al., 2009, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods".

    Example:
        >>> from keras_transformer.search import HybridIndex, SemanticIndex
        >>> class Lengths:
        ...     def embed(self, texts):
        ...         return [[len(text), 5] for text in texts]
        >>> index = SemanticIndex(Lengths())
        >>> _ = index.add(["a dog", "error 4711", "a long error text"])
        >>> [hit.text for hit in HybridIndex(index).search(["4711?"], top_k=2)[0]]
        ['error 4711', 'a dog']
    """

    def __init__(
        self,
        index: SemanticIndex,
        tokenize: Callable[[str], list[str]] = words,
        num_candidates: int = 100,
        k: int = 60,
        weights: tuple[float, float] = (1.0, 1.0),
    ):
        self.index = index
        self._tokenize, self._k = tokenize, arguments.positive_integer("k", k)
        self._num_candidates = arguments.positive_integer("num_candidates", num_candidates)
        reciprocal_rank_fusion([[], []], k, weights)  # says what is wrong with them
        self._weights = weights
        self._count_words()

    def search(self, queries: Sequence[str], top_k: int = 10, mask: Tensor | None = None) -> list[list[Hit]]:
        """The best of both rankings.

        Args:
            queries: N `str`.
            top_k: how many are wanted, at most as many as the candidates of both rankings.
            mask: boolean, an entry for each of `index.ids`: only texts where it is true are found.

        Returns:
            A list of `Hit`s for each query, the best first; scores are those of the fusion.

        Raises:
            ValueError: for a `top_k` below 1, and a mask of another shape.
        """
        arguments.positive_integer("top_k", top_k)
        if not np.array_equal(self._ids, self.index.ids):
            self._count_words()
        mask = checked_mask(mask, len(self._ids))
        count = max(top_k, self._num_candidates)
        by_meaning = self.index.search(queries, count, mask)
        by_words = self._keywords.search(queries, count, mask)
        return [self._merged([hit.id for hit in hits], rows, top_k) for hits, rows in zip(by_meaning, by_words)]

    def _merged(self, near, rows, top_k):
        sharing = [int(self._ids[row]) for row, _ in rows]
        merged = reciprocal_rank_fusion([near, sharing], self._k, self._weights)[:top_k]
        return [Hit(id, score, self.index.text(id)) for id, score in merged]

    def _count_words(self):
        self._ids = self.index.ids
        self._keywords = KeywordIndex(self.index.texts, self._tokenize)
