"""Exact search: blocks of matrix products, and the best of each."""

import typing
from collections.abc import Iterable, Iterator

import numpy as np

from keras_transformer import arguments
from keras_transformer.search.unit_vectors import unit_vectors
from keras_transformer.types import Tensor

# 64 MiB of scores, for so many queries at once.
QUERIES_AT_ONCE, ROWS_AT_ONCE = 256, 2**16


class Nearest(typing.NamedTuple):
    """The nearest vectors of each query, the most alike first; of equal ones those with lower numbers.

    Attributes:
        ids: int64 (N, K), their numbers.
        scores: float32 (N, K), how alike they are.

    Example:
        >>> from keras_transformer.search import nearest_vectors
        >>> found = nearest_vectors([[1, 0]], [[0, 1], [2, 0], [3, 4]], top_k=2)
        >>> found.ids, found.scores
        (array([[1, 2]]), array([[1. , 0.6]], dtype=float32))
    """

    ids: np.ndarray
    scores: np.ndarray


def nearest_vectors(queries: Tensor, vectors: Tensor, top_k: int = 10, mask: Tensor | None = None) -> Nearest:
    """The vectors with the largest cosines to each query, exactly.

    It is `semantic_search` of sentence-transformers, with arrays as results and in a defined order.

    Args:
        queries: (N, D).
        vectors: (M, D).
        top_k: how many are wanted; there are fewer results where M, or the rows of `mask`, are fewer.
        mask: boolean (M,): only vectors where it is true are found.

    Returns:
        A `Nearest` of K = min(`top_k`, number of vectors to be found).

    Raises:
        ValueError: for a `top_k` below 1, arrays of other shapes, NaN and infinity.

    Example:
        >>> from keras_transformer.search import nearest_vectors
        >>> nearest_vectors([[1, 0]], [[0, 1], [2, 0], [3, 4]], top_k=1, mask=[True, False, True]).ids
        array([[2]])
    """
    arguments.positive_integer("top_k", top_k)
    vectors = unit_vectors(vectors)
    queries = unit_vectors(queries, expected_width=vectors.shape[1])
    mask = checked_mask(mask, len(vectors))
    return nearest_of_blocks(queries, top_k, blocks_of(vectors, mask))


def checked_mask(mask: Tensor | None, count: int) -> np.ndarray | None:
    """`mask` as an array; raises `ValueError` unless it is `None` or boolean (`count`,)."""
    if mask is None:
        return None
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != (count,):
        raise ValueError(f"Expected a boolean mask ({count},). Received: {mask.dtype} {mask.shape}")
    return mask


def nearest_of_blocks(queries: np.ndarray, top_k: int, blocks: Iterable[tuple[np.ndarray, np.ndarray]]) -> Nearest:
    """As `nearest_vectors`, of (ids (B,), vectors (B, D)) of length 1, the ids ascending."""
    best = [Best(len(queries[start : start + QUERIES_AT_ONCE]), top_k) for start in _starts(len(queries))]
    for ids, vectors in blocks:
        for start, part in zip(_starts(len(queries)), best):
            part.update(ids, queries[start : start + QUERIES_AT_ONCE] @ vectors.T)
    return joined([part.result() for part in best])


def joined(parts: list[Nearest]) -> Nearest:
    """The results of some queries behind those of others."""
    if not parts:
        return Nearest(np.zeros((0, 0), np.int64), np.zeros((0, 0), np.float32))
    return Nearest(*(np.concatenate(column) for column in zip(*parts)))


class Best:
    """The best of all scores that came so far, for some queries.

    Args:
        num_queries: N.
        top_k: how many are kept.

    Example:
        >>> from keras_transformer.search.nearest import Best
        >>> best = Best(num_queries=1, top_k=2)
        >>> best.update(np.array([0, 1, 2]), np.array([[0.1, 0.3, 0.2]], "float32"))
        >>> best.update(np.array([3, 4]), np.array([[0.3, 0.4]], "float32"))
        >>> best.result().ids
        array([[4, 1]])
    """

    def __init__(self, num_queries: int, top_k: int):
        self._top_k = top_k
        self._ids = [np.zeros(0, np.int64)] * num_queries
        self._scores = [np.zeros(0, np.float32)] * num_queries

    def update(self, ids: np.ndarray, scores: np.ndarray) -> None:
        """Takes more scores.

        Args:
            ids: int64 (B,), ascending, and above all that came before: of equal scores the first ones stay.
            scores: float32 (N, B).
        """
        for row, new in enumerate(scores):
            places = self._candidates(self._scores[row], new)
            if not len(places):
                continue
            merged = np.concatenate([self._scores[row], new[places]])
            order = np.argsort(-merged, kind="stable")[: self._top_k]
            self._scores[row] = merged[order]
            self._ids[row] = np.concatenate([self._ids[row], ids[places]])[order]

    def result(self) -> Nearest:
        """The best ones, K = min(`top_k`, number of ids that came)."""
        if not self._ids:
            return joined([])
        return Nearest(np.stack(self._ids), np.stack(self._scores))

    def _candidates(self, kept, new):
        """The places in `new` of what may be among the best."""
        if len(kept) == self._top_k:
            places = np.flatnonzero(new > kept[-1])
            if len(places) <= 4 * self._top_k:
                return places
            new = new[places]
        else:
            places = np.arange(len(new))
        if len(new) > self._top_k:
            worst = np.partition(new, -self._top_k)[-self._top_k]
            places = places[new >= worst]
        return places


def _starts(count: int) -> range:
    return range(0, count, QUERIES_AT_ONCE)


def blocks_of(vectors: np.ndarray, mask: np.ndarray | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields (ids, vectors) of some rows at a time, without those that `mask` leaves out."""
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        ids = np.arange(start, min(start + ROWS_AT_ONCE, len(vectors)))
        block = vectors[start : start + ROWS_AT_ONCE]
        if mask is None:
            yield ids, block
        else:
            kept = mask[start : start + ROWS_AT_ONCE]
            yield ids[kept], block[kept]
