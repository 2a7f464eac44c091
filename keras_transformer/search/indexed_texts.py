"""What an index consists of: rows with ids, which of them are there, and the graph."""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np

from keras_transformer.search.encodings import Columns
from keras_transformer.search.graph import NeighbourGraph
from keras_transformer.search.index_file import read_index_file, writing_index_file
from keras_transformer.search.layout import IDS, Layout
from keras_transformer.search.rows import Rows, TextBlock
from keras_transformer.search.unit_vectors import Embed, unit_vectors
from keras_transformer.types import PathLike, Tensor

TEXTS_AT_ONCE, _MERGED_BLOCKS = 4096, 16


class IndexedTexts:
    """The texts of an index and their vectors.

    Args:
        layout: how vectors are kept.
        approximate: whether there is a graph of neighbours.
        width: D; `None` until the first vectors tell it.

    Attributes:
        rows: all that were added.
        ids: int64, the ids of all rows, ascending.
        is_there: boolean, which rows were not removed.
        next_id: the id of the next text.
        graph: the `NeighbourGraph`, or `None`.

    Example:
        >>> from keras_transformer.search.indexed_texts import IndexedTexts
        >>> from keras_transformer.search.layout import Layout
        >>> texts = IndexedTexts(Layout())
        >>> texts.add(["a", "b"], [[1, 0], [0, 2]])
        >>> texts.remove(np.array([0]))
        >>> texts.ids[texts.is_there], texts.vectors()
        (array([1]), array([[0., 1.]], dtype=float32))
    """

    def __init__(self, layout: Layout, approximate: bool = False, width: int | None = None):
        self.layout, self.width, self.next_id = layout, width, 0
        self.rows = Rows()
        self.ids, self.is_there = np.zeros(0, "int64"), np.zeros(0, bool)
        self.is_approximate = approximate
        # Before time is spent on vectors it says if usearch is missing; the width is 1 until it is known.
        self.graph = NeighbourGraph(layout.precision, width or 1) if approximate else None

    @classmethod
    def read(cls, path: PathLike) -> tuple["IndexedTexts", str | None]:
        """Those of a file, mapped into memory, and what it tells of the embedder."""
        file = read_index_file(path)
        settings = file.settings
        layout = Layout(settings["precision"], settings["rescoring"])
        texts = cls(layout, settings["approximate"], settings["width"])
        texts._append(file.columns, file.texts)
        texts.next_id = settings["next_id"]
        if texts.is_approximate and len(file.texts):
            texts.graph = NeighbourGraph(layout.precision, texts.width or 1, file.graph)
        return texts, settings["model"]

    def write(self, path: PathLike, model: str | None, blocks: Iterable[tuple[Columns, TextBlock]] = ()) -> None:
        """Writes a file with what is there, and behind it `blocks`, which `encoded` yields and which are not kept."""
        blocks = iter(blocks)
        first = list(itertools.islice(blocks, 1))  # tells the width
        with writing_index_file(path, self.layout.columns(self.width or 1)) as writer:
            for rows, columns, texts, start in self.rows.slices(TEXTS_AT_ONCE):
                kept = self.is_there[rows]
                columns = {name: column[kept] for name, column in columns.items()}
                writer.append(columns, texts.part(rows[kept] - start))
            for columns, texts in itertools.chain(first, blocks):
                writer.append(columns, texts)
                self._add_to_graph(columns)
            settings = {
                "precision": self.layout.precision,
                "rescoring": self.layout.rescoring,
                "approximate": self.is_approximate,
                "width": self.width,
                "next_id": self.next_id,
                "model": model,
            }
            writer.finish(settings, self.graph.to_bytes() if self.graph else b"")

    def add(self, texts: Iterable[str], vectors: Iterable[Tensor] | None = None, embed: Embed | None = None) -> None:
        """Adds texts; all or, where something is wrong, none."""
        before = self.next_id, self.width
        try:
            blocks = list(self.encoded(texts, vectors, embed))
        except BaseException:
            self.next_id, self.width = before
            raise
        # Large blocks: each one is a matrix product, for which the threads wait for each other.
        for start in range(0, len(blocks), _MERGED_BLOCKS):
            some, texts = zip(*blocks[start : start + _MERGED_BLOCKS])
            blocks[start : start + _MERGED_BLOCKS] = [None] * len(some)
            columns = {name: np.concatenate([part[name] for part in some]) for name in some[0]}
            self._append(columns, TextBlock.joined(texts))
            self._add_to_graph(columns)

    def encoded(
        self, texts: Iterable[str], vectors: Iterable[Tensor] | None, embed: Embed | None
    ) -> Iterator[tuple[Columns, TextBlock]]:
        """Yields the arrays of some texts at a time, with new ids.

        Raises:
            ValueError: for vectors of another width or number, NaN and infinity, and texts that are no strings.
        """
        if isinstance(texts, (str, bytes)):
            raise ValueError(f"Expected an iterable of strings. Received a single one: {texts!r}")
        if vectors is None and embed is None:
            raise ValueError("Expected vectors, or an index with an embedder. Received: texts alone")
        texts, vectors = iter(texts), None if vectors is None else iter(vectors)
        while some := list(itertools.islice(texts, TEXTS_AT_ONCE)):
            block = TextBlock.of(some)
            if vectors is None:
                made = unit_vectors(some, embed, self.width)
            else:
                given = list(itertools.islice(vectors, len(some)))
                if len(given) != len(some):
                    raise ValueError(f"Expected a vector for each text. Received: {len(given)} for {len(some)} texts")
                made = unit_vectors(given, expected_width=self.width)
            self.width = made.shape[1]
            ids = np.arange(self.next_id, self.next_id + len(some))
            self.next_id += len(some)
            yield self.layout.encode(ids, made), block
        if vectors is not None and next(vectors, None) is not None:
            raise ValueError("Expected a vector for each text. Received: more vectors")

    def remove(self, ids: np.ndarray) -> None:
        """Removes texts; raises `ValueError`, and removes nothing, where one is not there."""
        if unknown := np.setdiff1d(ids, self.ids[self.is_there]).tolist():
            raise ValueError(f"Expected ids of the index. Received: {', '.join(map(str, unknown[:5]))}")
        self.is_there[np.searchsorted(self.ids, ids)] = False
        if self.graph:
            self.graph.remove(np.unique(ids))

    def row_of(self, id: int) -> int:
        """The row of an id; raises `ValueError` if it is not there."""
        row = int(np.searchsorted(self.ids, id))
        if row == len(self.ids) or self.ids[row] != id or not self.is_there[row]:
            raise ValueError(f"Expected an id of the index. Received: {id}")
        return row

    def vectors_of(self, rows: np.ndarray) -> np.ndarray:
        """The vectors of some rows (B,), as well as they are kept: float32 (B, D)."""
        return self.layout.best_vectors(self.rows.take(rows, self.layout.best_names(self.width)), self.width)

    def as_kept(self, vectors: np.ndarray) -> np.ndarray:
        """What is left of vectors (B, D) when they are kept."""
        return self.layout.best_vectors(self.layout.encode(np.arange(len(vectors)), vectors), self.width)

    def vectors(self) -> np.ndarray:
        """The vectors of what is there, as well as they are kept: float32 (N, D)."""
        parts = [
            self.layout.best_vectors(columns, self.width)[self.is_there[rows]]
            for rows, columns, _, _ in self.rows.slices(TEXTS_AT_ONCE)
        ]
        return np.concatenate([np.zeros((0, self.width or 0), "float32"), *parts])

    def _append(self, columns, texts):
        self.rows.append(columns, texts)
        self.ids = np.concatenate([self.ids, columns[IDS]])
        self.is_there = np.concatenate([self.is_there, np.ones(len(texts), bool)])

    def _add_to_graph(self, columns):
        if not self.is_approximate or not len(columns[IDS]):
            return
        if not len(self.graph):
            self.graph = NeighbourGraph(self.layout.precision, self.width)
        self.graph.add(columns[IDS], columns)
