"""The two steps of a search: what may be near, then how near it is."""

import numpy as np

from keras_transformer.search.indexed_texts import IndexedTexts
from keras_transformer.search.nearest import QUERIES_AT_ONCE, ROWS_AT_ONCE, Best

# The rows found for a query, the best first, and their cosines.
Found = tuple[np.ndarray, np.ndarray]
_FEW = 0.25  # of all rows: it is faster to take these out than to compute the scores of all


def search_everywhere(
    texts: IndexedTexts, queries: np.ndarray, top_k: int, is_allowed: np.ndarray, rescore_multiplier: int
) -> list[Found]:
    """The best of all allowed rows.

    Args:
        texts: of the index.
        queries: float32 (N, D), of length 1.
        top_k: how many are wanted.
        is_allowed: boolean, one for each row.
        rescore_multiplier: `top_k` times so many candidates are ranked anew.

    Returns:
        What was found for each query.
    """
    layout = texts.layout
    count = top_k * rescore_multiplier if layout.must_rescore else top_k
    starts = range(0, len(queries), QUERIES_AT_ONCE)
    best = [Best(len(queries[start : start + QUERIES_AT_ONCE]), count) for start in starts]
    for rows, columns, _, _ in texts.rows.slices(ROWS_AT_ONCE):
        kept = is_allowed[rows]
        columns = layout.searched(columns)
        rows, is_few = rows[kept], np.count_nonzero(kept) < _FEW * len(kept)
        if is_few:
            columns = {name: column[kept] for name, column in columns.items()}
        for start, part in zip(starts, best):
            scores = layout.encoding.scores(queries[start : start + QUERIES_AT_ONCE], columns)
            part.update(rows, scores if is_few or kept.all() else scores[:, kept])
    found = [hits for part in best for hits in zip(*part.result())]
    if not layout.must_rescore:
        return found
    return [_rescored(texts, query, np.sort(rows), top_k) for query, (rows, _) in zip(queries, found)]


def search_graph(texts: IndexedTexts, queries: np.ndarray, top_k: int, rescore_multiplier: int) -> list[Found]:
    """The best of the rows that the index's graph gives; as `search_everywhere`."""
    encoded = texts.layout.encoding.encode(queries)
    ids = texts.graph.search(encoded, top_k * rescore_multiplier)
    rows = [np.searchsorted(texts.ids, near) for near in ids]
    return [_rescored(texts, query, near, top_k) for query, near in zip(queries, rows)]


def _rescored(texts, query, rows, top_k):
    """The best of some rows, which ascend, by the best vectors that are kept."""
    scores = texts.vectors_of(rows) @ query
    order = np.argsort(-scores, kind="stable")[:top_k]
    return rows[order], scores[order]
