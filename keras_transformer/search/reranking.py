"""Found texts in the order of a better, slower judge: a cross-encoder that reads each with the query."""

import typing
from collections.abc import Sequence

import numpy as np

from keras_transformer import arguments
from keras_transformer.search.semantic_index import Hit
from keras_transformer.types import Tensor


class Scorer(typing.Protocol):
    """What reranks: a `TextPairScorer`, exported or not, or anything with this method."""

    def score(self, pairs: list[tuple[str, str]]) -> Tensor:
        """Pairs of (query, text) to scores (N,), the larger the better."""
        ...


class Index(typing.Protocol):
    """What is reranked: a `SemanticIndex`, a `HybridIndex`, or anything with this method."""

    def search(self, queries: Sequence[str], top_k: int, mask: Tensor | None = None) -> list[list[Hit]]:
        """The `Hit`s of each query."""
        ...


def rerank(
    queries: Sequence[str], found: Sequence[Sequence[Hit]], scorer: Scorer, top_k: int | None = None
) -> list[list[Hit]]:
    """What was found for each query, in the order of a scorer's scores.

    Args:
        queries: N `str`.
        found: the `Hit`s of each query, as `search` gives them.
        scorer: a `TextPairScorer`, for example; all pairs are scored in one call.
        top_k: how many are wanted; by default all.

    Returns:
        A list of `Hit`s for each query, with the scorer's scores; of equal ones, what was found first comes first.

    Raises:
        ValueError: for a `top_k` below 1, other numbers of queries and found lists, and a scorer that does not give a
            number for each pair.

    References:
        Nogueira and Cho, 2019, "Passage Re-ranking with BERT".

    Example:
        >>> from keras_transformer.search import Hit, rerank
        >>> class SharedLetters:
        ...     def score(self, pairs):
        ...         return [len({*query} & {*text}) for query, text in pairs]
        >>> found = [[Hit(4, 0.9, "tree"), Hit(7, 0.8, "dogs")]]
        >>> rerank(["dog"], found, SharedLetters())
        [[Hit(id=7, score=3.0, text='dogs'), Hit(id=4, score=0.0, text='tree')]]
    """
    arguments.optional_positive_integer("top_k", top_k)
    if isinstance(queries, str) or len(queries) != len(found):
        raise ValueError(f"Expected hits for each of the queries. Received: {len(found)} lists for {queries!r}")
    pairs = [(query, hit.text) for query, hits in zip(queries, found) for hit in hits]
    scores = np.asarray(scorer.score(pairs) if pairs else [], "float64")
    if scores.shape != (len(pairs),):
        raise ValueError(f"Expected a score of each of {len(pairs)} pairs. Received: shape {scores.shape}")
    ranked, start = [], 0
    for hits in found:
        of_query = scores[start : start + len(hits)]
        start += len(hits)
        best = np.argsort(-of_query, kind="stable")[:top_k]
        ranked.append([hits[number]._replace(score=float(of_query[number])) for number in best])
    return ranked


class RerankedIndex:
    """An index whose best candidates a scorer ranks anew: fast over all texts, exact among few.

    Args:
        index: a `SemanticIndex` or a `HybridIndex`.
        scorer: a `TextPairScorer`, exported or not, or anything with a method `score` of pairs.
        num_candidates: how many of the index's hits are read with the query; time grows with it.

    Raises:
        ValueError: for a number below 1.

    Example:
        >>> from keras_transformer.search import RerankedIndex, SemanticIndex
        >>> class Lengths:
        ...     def embed(self, texts):
        ...         return [[len(text), 5] for text in texts]
        >>> class SharedLetters:
        ...     def score(self, pairs):
        ...         return [len({*query} & {*text}) for query, text in pairs]
        >>> index = SemanticIndex(Lengths())
        >>> _ = index.add(["a cat", "dogs", "the tree"])
        >>> RerankedIndex(index, SharedLetters(), num_candidates=3).search(["dog"], top_k=1)
        [[Hit(id=1, score=3.0, text='dogs')]]
    """

    def __init__(self, index: Index, scorer: Scorer, num_candidates: int = 50):
        self.index, self.scorer = index, scorer
        self.num_candidates = arguments.positive_integer("num_candidates", num_candidates)

    def search(self, queries: Sequence[str], top_k: int = 10, mask: Tensor | None = None) -> list[list[Hit]]:
        """The best of the index's candidates.

        Args:
            queries: N `str`.
            top_k: how many are wanted; at least so many candidates are read.
            mask: of the index's `search`.

        Returns:
            A list of `Hit`s for each query, the best first; scores are the scorer's.

        Raises:
            ValueError: for a `top_k` below 1, and as the index's `search`.
        """
        arguments.positive_integer("top_k", top_k)
        found = self.index.search(queries, max(top_k, self.num_candidates), mask)
        return rerank(queries, found, self.scorer, top_k)
