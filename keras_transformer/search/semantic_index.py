import typing
from collections.abc import Iterable, Iterator

import numpy as np

from keras_transformer import arguments
from keras_transformer.search.candidates import search_everywhere, search_graph
from keras_transformer.search.indexed_texts import IndexedTexts
from keras_transformer.search.layout import Layout
from keras_transformer.search.nearest import checked_mask
from keras_transformer.search.unit_vectors import as_embed, unit_vectors
from keras_transformer.types import PathLike, Tensor, Texts

_SAME_EMBEDDER = 0.8  # cosines of one text's vectors by the same model in different precisions are above


class Hit(typing.NamedTuple):
    """A text that was found.

    Attributes:
        id: its id in the index.
        score: how alike it is to the query: the cosine, the larger the more.
        text: the text.

    Example:
        >>> from keras_transformer.search import Hit
        >>> Hit(7, 0.9, "a dog").text
        'a dog'
    """

    id: int
    score: float
    text: str


class SemanticIndex:
    """Texts that are found by what they mean: the largest cosines between the vector of a query and theirs.

    Search is exact by default: matrix products of the query with blocks of all vectors. `precision` makes the vectors
    smaller, `approximate` a search of many of them faster.

    Args:
        embedder: a `TextEmbedder`, `ExportedEmbedder` or anything with a method `embed` from a list of `str` to vectors
            (N, D); of a question-answer embedder queries are questions, and texts are responses; of an embedder with
            prompts these have their own. `None`: vectors are
            given to `add` and `search`.
        precision: how vectors are kept. "float32"; "int8", a quarter as large, of cosines right to 0.01; "binary", 1/32
            as large: the first candidates are those of the most equal signs.
        rescoring: "int8" or "float32": candidates, found by the vectors of a lower precision, are ranked by vectors of
            this one, which stay in the index's file until they are needed. By default a "binary" index ranks
            candidates by the query's own numbers and their signs.
        approximate: search in a graph of neighbours, by usearch (the extra "search"), instead of everywhere.
            The graph is kept in memory.

    Attributes:
        ids: int64 (N,), the ids of the texts, ascending. They begin at 0, stay when others are removed, and are not
            given again.
        model: what the index's file tells of the embedder; `None` if nothing.

    Raises:
        ImportError: for `approximate` without usearch.
        TypeError: for an embedder without a method `embed`.
        ValueError: for an unknown precision, or a rescoring that is no higher one.

    Example:
        >>> from keras_transformer.search import SemanticIndex
        >>> index = SemanticIndex()
        >>> index.add(["a dog", "a tree", "a cat"], vectors=[[1, 0], [0, 1], [4, 3]])
        array([0, 1, 2])
        >>> [[(hit.text, round(hit.score, 2)) for hit in hits] for hits in index.search([[2.0, 0.0]], top_k=2)]
        [[('a dog', 1.0), ('a cat', 0.8)]]
        >>> index.remove([0])
        >>> index.save(tmp_path / "texts.index")
        >>> SemanticIndex.load(tmp_path / "texts.index").search([[2.0, 0.0]], top_k=1)[0][0].text
        'a cat'
    """

    def __init__(
        self,
        embedder: typing.Any = None,
        precision: str = "float32",
        rescoring: str | None = None,
        approximate: bool = False,
    ):
        self._embed_texts = self._embed_queries = None
        if embedder is not None:
            self._embed_texts = as_embed(embedder, ("embed_responses", "embed_documents", "embed"))
            self._embed_queries = as_embed(embedder, ("embed_questions", "embed_queries", "embed"))
        self._indexed = IndexedTexts(Layout(precision, rescoring), approximate)
        self.model: str | None = None

    @classmethod
    def build(
        cls,
        path: PathLike,
        texts: Iterable[str],
        embedder: typing.Any = None,
        vectors: Iterable[Tensor] | None = None,
        precision: str = "float32",
        rescoring: str | None = None,
        approximate: bool = False,
        model: str | None = None,
    ) -> "SemanticIndex":
        """Writes the file of an index of any number of texts, in constant memory, and opens it.

        Only the graph of an approximate search is in memory meanwhile.

        Args:
            path: of the file, which is replaced as a whole or not at all.
            texts: an iterable of `str`.
            embedder: as for the class.
            vectors: as for `add`.
            precision: as for the class.
            rescoring: as for the class.
            approximate: as for the class.
            model: what the file tells of the embedder, its path for example.

        Raises:
            OSError: if the file cannot be written.
            ValueError: as `add`.
        """
        index = cls(embedder, precision, rescoring, approximate)
        indexed = index._indexed
        indexed.write(path, model, indexed.encoded(texts, vectors, index._embed_texts))
        return cls.load(path, embedder)

    @classmethod
    def load(cls, path: PathLike, embedder: typing.Any = None) -> "SemanticIndex":
        """Opens a saved index. Its file is mapped into memory: what is not needed is not read.

        Args:
            path: of the file.
            embedder: as for the class; the one that the index was made with. The first text tells whether it is.

        Raises:
            FileNotFoundError: if there is no file.
            ValueError: for another or a damaged file, and another embedder.
        """
        index = cls(embedder)
        index._indexed, index.model = IndexedTexts.read(path)
        if index._embed_texts:
            index._check_embedder()
        return index

    def save(self, path: PathLike) -> None:
        """Writes the index to a file, which is replaced as a whole or not at all.

        The format is safetensors: other programs can read the vectors too.

        Raises:
            OSError: if the file cannot be written.
        """
        self._indexed.write(path, self.model)

    def add(self, texts: Iterable[str], vectors: Iterable[Tensor] | None = None) -> np.ndarray:
        """Adds texts; all or, where something is wrong, none.

        Args:
            texts: an iterable of M `str`.
            vectors: their vectors, an array (M, D) or an iterable of (D,); by default the embedder's.

        Returns:
            int64 (M,), their ids.

        Raises:
            ValueError: for vectors of another width or number, NaN and infinity, and texts that are no strings.
        """
        first = self._indexed.next_id
        self._indexed.add(texts, vectors, self._embed_texts)
        return np.arange(first, self._indexed.next_id)

    def remove(self, ids: Iterable[int]) -> None:
        """Removes texts by their ids; a later `save` leaves their room out.

        Raises:
            ValueError: for an id that is not there; then nothing is removed.
        """
        self._indexed.remove(np.fromiter(ids, "int64"))

    def search(
        self,
        queries: Texts,
        top_k: int = 10,
        mask: Tensor | None = None,
        exact: bool = False,
        rescore_multiplier: int = 4,
    ) -> list[list[Hit]]:
        """The texts that are most alike to each query.

        Args:
            queries: N `str`, or their vectors (N, D).
            top_k: how many are wanted.
            mask: boolean, an entry for each of `ids`: only texts where it is true are found. All of them are looked at.
            exact: look at all texts, also in an approximate index.
            rescore_multiplier: `top_k` times so many candidates are ranked anew, where vectors of two kinds, or a
                graph, make it necessary.

        Returns:
            A list of `Hit`s for each query, the most alike first, of equal ones those of lower ids.

        Raises:
            ValueError: for numbers below 1, a mask of another shape, vectors of another width, and texts without an
                embedder.
        """
        arguments.positive_integer("top_k", top_k)
        arguments.positive_integer("rescore_multiplier", rescore_multiplier)
        indexed = self._indexed
        mask = checked_mask(mask, len(self))
        if not len(queries):
            return []
        embed = self._embed_queries if isinstance(queries[0], (str, bytes)) else None
        vectors = unit_vectors(queries, embed, indexed.width)
        if not len(self):
            return [[] for _ in vectors]
        if indexed.graph and mask is None and not exact:
            found = search_graph(indexed, vectors, top_k, rescore_multiplier)
        else:
            is_allowed = indexed.is_there.copy()
            if mask is not None:
                is_allowed[indexed.is_there] = mask
            found = search_everywhere(indexed, vectors, top_k, is_allowed, rescore_multiplier)
        return [
            [Hit(int(indexed.ids[row]), float(x), indexed.rows.text(row)) for row, x in zip(*hits)] for hits in found
        ]

    def __len__(self) -> int:
        return int(np.count_nonzero(self._indexed.is_there))

    @property
    def ids(self) -> np.ndarray:
        """int64 (N,), the ids of the texts, ascending."""
        return self._indexed.ids[self._indexed.is_there]

    @property
    def texts(self) -> Iterator[str]:
        """The texts, in the order of `ids`."""
        return map(self._indexed.rows.text, np.flatnonzero(self._indexed.is_there).tolist())

    def text(self, id: int) -> str:
        """The text of an id; raises `ValueError` if it is not there."""
        return self._indexed.rows.text(self._indexed.row_of(id))

    def vectors(self) -> np.ndarray:
        """The vectors of `ids`, as well as they are kept: float32 (N, D), of length about 1."""
        return self._indexed.vectors()

    def _check_embedder(self):
        """`ValueError` unless the embedder gives the first text about the vector that is kept of it."""
        indexed = self._indexed
        row = next((row for row in np.flatnonzero(indexed.is_there) if indexed.rows.text(row).strip()), None)
        if row is None:
            return
        new = indexed.as_kept(unit_vectors([indexed.rows.text(row)], self._embed_texts, indexed.width))[0]
        kept = indexed.vectors_of(np.array([row]))[0]
        cosine = np.dot(new, kept) / max(np.linalg.norm(new) * np.linalg.norm(kept), 1e-30)
        if new.any() and kept.any() and cosine < _SAME_EMBEDDER:
            raise ValueError(
                "Expected the embedder that the index was made with. Received: one whose vector of the first text "
                f"has a cosine of {cosine:.2f} to the vector in the index"
            )
