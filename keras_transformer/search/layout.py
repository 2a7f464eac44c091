import numpy as np

from keras_transformer import arguments
from keras_transformer.search.encodings import Columns, encoding_of
from keras_transformer.search.names import PRECISIONS, RESCORING

IDS = "ids"
_RESCORING = "rescoring_"


class Layout:
    """Which arrays an index keeps of its vectors, and what they are for.

    Args:
        precision: of the vectors that are searched.
        rescoring: of those by which candidates are ranked; `None`: by what is searched.

    Raises:
        ValueError: for unknown names, or a rescoring that is no higher precision.

    Example:
        >>> from keras_transformer.search.layout import Layout
        >>> sorted(Layout("binary", "int8").columns(384))
        ['bits', 'ids', 'rescoring_scales', 'rescoring_vectors']
    """

    def __init__(self, precision: str = "float32", rescoring: str | None = None):
        arguments.one_of("precision", precision, PRECISIONS)
        arguments.one_of("rescoring", rescoring, (None, *RESCORING))
        if rescoring and PRECISIONS.index(rescoring) >= PRECISIONS.index(precision):
            raise ValueError(f"Expected a rescoring above precision={precision!r}. Received: rescoring={rescoring!r}")
        self.precision, self.rescoring = precision, rescoring
        self.encoding = encoding_of(precision)
        self._best = encoding_of(rescoring or precision)
        # Hamming distances are no cosines.
        self.must_rescore = rescoring is not None or precision == "binary"

    def columns(self, width: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        """{name: (dtype, shape of a row)} of vectors of `width` numbers."""
        kept = {IDS: ("int64", ()), **self.encoding.columns(width)}
        return {**kept, **self._prefixed(self._best.columns(width) if self.rescoring else {})}

    def encode(self, ids: np.ndarray, vectors: np.ndarray) -> Columns:
        """The arrays of vectors (B, D) of length 1, and their ids."""
        kept = {IDS: ids, **self.encoding.encode(vectors)}
        return {**kept, **self._prefixed(self._best.encode(vectors) if self.rescoring else {})}

    def searched(self, columns: Columns) -> Columns:
        """Those that are searched."""
        return {name: column for name, column in columns.items() if name != IDS and not name.startswith(_RESCORING)}

    def best_names(self, width: int) -> list[str]:
        """The names of those by which candidates are ranked."""
        names = self._best.columns(width)
        return [_RESCORING + name for name in names] if self.rescoring else list(names)

    def best_vectors(self, columns: Columns, width: int) -> np.ndarray:
        """The vectors (B, D), float32, from these."""
        prefix = _RESCORING if self.rescoring else ""
        return self._best.decode({name: columns[prefix + name] for name in self._best.columns(width)}, width)

    def _prefixed(self, columns):
        return {_RESCORING + name: column for name, column in columns.items()}
