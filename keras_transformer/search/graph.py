"""Approximate search: usearch's graph of neighbours (HNSW)."""

from typing import Any

import numpy as np

from keras_transformer.search.encodings import Columns
from keras_transformer.search.names import EXTRA

# How usearch is told what each precision keeps: (the column, its dtype, its metric).
_OF_PRECISION = {
    "float32": ("vectors", "f32", "cos"),
    "int8": ("vectors", "i8", "cos"),
    "binary": ("bits", "b1", "hamming"),
}


class NeighbourGraph:
    """The ids of near vectors, most of which are the nearest.

    Args:
        precision: of the vectors.
        width: D.
        saved: bytes of a graph that `to_bytes` gave.

    Raises:
        ImportError: without usearch.

    References:
        Malkov and Yashunin, 2016, "Efficient and robust approximate nearest neighbor search using Hierarchical
        Navigable Small World graphs".
    """

    def __init__(self, precision: str, width: int, saved: np.ndarray | None = None):
        self._column, dtype, metric = _OF_PRECISION[precision]
        self._dtype = dtype
        width = -(-width // 64) * 64 if precision == "binary" else width
        self._graph = _usearch().Index(ndim=width, metric=metric, dtype=dtype)
        if saved is not None and len(saved):
            self._graph.load(saved.tobytes())

    def __len__(self) -> int:
        return len(self._graph)

    def add(self, ids: np.ndarray, columns: Columns) -> None:
        """Adds encoded vectors.

        Args:
            ids: int64 (B,), new ones.
            columns: what the encoding of the precision made of them.
        """
        self._graph.add(ids.astype("uint64"), np.ascontiguousarray(columns[self._column]), dtype=self._dtype)

    def remove(self, ids: np.ndarray) -> None:
        """Takes ids out."""
        self._graph.remove(ids.astype("uint64"))

    def search(self, queries: Columns, count: int) -> list[np.ndarray]:
        """The ids near each encoded query, at most `count`, int64, ascending."""
        vectors = np.ascontiguousarray(queries[self._column])
        if not len(vectors) or not len(self._graph):
            return [np.zeros(0, "int64")] * len(vectors)
        # usearch looks at `expansion` vertices, and finds no more than these.
        self._graph.expansion_search = max(64, 2 * count)
        found = self._graph.search(vectors, min(count, len(self._graph)), dtype=self._dtype)
        keys = np.atleast_2d(found.keys).astype("int64")
        counts = np.atleast_1d(getattr(found, "counts", keys.shape[1]))
        return [np.sort(row[:number]) for row, number in zip(keys, counts)]

    def to_bytes(self) -> bytes:
        """The graph as bytes."""
        return bytes(self._graph.save())


def _usearch() -> Any:
    try:
        import usearch.index
    except ImportError as error:
        raise ImportError(f"Expected usearch for approximate search: {EXTRA}. Received: {error}") from error
    return usearch.index
