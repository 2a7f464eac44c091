"""The most alike pairs among many texts."""

import typing

import numpy as np

from keras_transformer import arguments
from keras_transformer.search.nearest import blocks_of, nearest_of_blocks
from keras_transformer.search.unit_vectors import Embed, unit_vectors
from keras_transformer.types import Texts

_QUERIES_AT_ONCE = 4096


class Pairs(typing.NamedTuple):
    """Pairs of texts, the most alike first; `first` < `second`, and no pair comes twice.

    Attributes:
        first: int64 (P,), the number of one text.
        second: int64 (P,), of the other.
        scores: float32 (P,), their cosine.

    Example:
        >>> from keras_transformer.search import paraphrase_mining
        >>> paraphrase_mining([[1, 0], [0, 1], [2, 0]], max_pairs=1)
        Pairs(first=array([0]), second=array([2]), scores=array([1.], dtype=float32))
    """

    first: np.ndarray
    second: np.ndarray
    scores: np.ndarray


def paraphrase_mining(texts: Texts, embed: Embed | None = None, top_k: int = 100, max_pairs: int = 500_000) -> Pairs:
    """The pairs of texts with the largest cosines.

    It is `paraphrase_mining` of sentence-transformers: a pair is a candidate where one text is among the `top_k`
    nearest of the other.

    Args:
        texts: N `str`, or their vectors (N, D).
        embed: takes a list of `str`, returns vectors (N, D); required for texts.
        top_k: how many neighbours of each text are looked at.
        max_pairs: how many pairs are returned at most; of equal ones those of lower numbers.

    Returns:
        `Pairs`.

    Raises:
        ValueError: for numbers below 1, arrays of other shapes, NaN and infinity.

    Example:
        >>> from keras_transformer.search import paraphrase_mining
        >>> vectors = {"a dog": [1, 0], "a tree": [0, 1], "some dog": [4, 3]}
        >>> paraphrase_mining(list(vectors), lambda texts: [vectors[text] for text in texts]).scores
        array([0.8, 0.6, 0. ], dtype=float32)
    """
    arguments.positive_integer("top_k", top_k)
    arguments.positive_integer("max_pairs", max_pairs)
    vectors = unit_vectors(texts, embed)
    best = np.zeros(0, np.int64), np.zeros(0, np.float32)
    for start in range(0, len(vectors), _QUERIES_AT_ONCE):
        # One more: a text is its own neighbour, unless more than `top_k` others equal it.
        ids, scores = nearest_of_blocks(vectors[start : start + _QUERIES_AT_ONCE], top_k + 1, blocks_of(vectors))
        own = np.arange(start, start + len(ids))[:, None]
        is_other = ids != own
        is_other &= np.cumsum(is_other, axis=1) <= top_k
        pairs = (np.minimum(own, ids) * len(vectors) + np.maximum(own, ids))[is_other]
        best = _best(*(np.concatenate(both) for both in zip(best, (pairs, scores[is_other]))), max_pairs)
    return Pairs(*np.divmod(best[0], max(len(vectors), 1)), best[1])


def _best(pairs, scores, max_pairs):
    """The distinct pairs of the largest scores."""
    pairs, places = np.unique(pairs, return_index=True)
    scores = scores[places]
    order = np.argsort(-scores, kind="stable")[:max_pairs]
    return pairs[order], scores[order]
