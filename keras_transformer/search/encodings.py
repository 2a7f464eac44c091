"""How vectors are kept: in float32, in int8, or a bit for each number."""

import typing

import numpy as np

from keras_transformer import arguments
from keras_transformer.search.names import PRECISIONS

Columns: typing.TypeAlias = dict[str, np.ndarray]
_ROWS_OF_INT8 = 8192  # made float32 at once: few enough for the processor's cache


class Encoding(typing.Protocol):
    """A way to keep vectors (B, D) of length 1 as arrays of B rows, {name: array}."""

    def columns(self, width: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        """{name: (dtype, shape of a row)} of vectors of `width` numbers."""
        ...

    def encode(self, vectors: np.ndarray) -> Columns:
        """float32 vectors (B, D) as arrays."""
        ...

    def decode(self, columns: Columns, width: int) -> np.ndarray:
        """The vectors (B, D), float32, as far as they were kept."""
        ...

    def scores(self, queries: np.ndarray, columns: Columns) -> np.ndarray:
        """How alike float32 queries (N, D) and the vectors are, by which these are ranked: float32 (N, B)."""
        ...


class Float32:
    """The vectors themselves."""

    def columns(self, width: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        return {"vectors": ("float32", (width,))}

    def encode(self, vectors: np.ndarray) -> Columns:
        return {"vectors": vectors}

    def decode(self, columns: Columns, width: int) -> np.ndarray:
        return np.asarray(columns["vectors"])

    def scores(self, queries: np.ndarray, columns: Columns) -> np.ndarray:
        return queries @ columns["vectors"].T


class Int8:
    """Integers in [-127, 127], and a scale for each vector: its largest number has 127. Needs no calibration."""

    def columns(self, width: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        return {"scales": ("float32", ()), "vectors": ("int8", (width,))}

    def encode(self, vectors: np.ndarray) -> Columns:
        scales = np.max(np.abs(vectors), axis=1, initial=0) / np.float32(127)
        numbers = np.rint(vectors / np.where(scales > 0, scales, 1)[:, None])
        return {"scales": scales, "vectors": numbers.astype("int8")}

    def decode(self, columns: Columns, width: int) -> np.ndarray:
        return columns["vectors"] * columns["scales"][:, None]

    def scores(self, queries: np.ndarray, columns: Columns) -> np.ndarray:
        vectors, scales = columns["vectors"], columns["scales"]
        products = np.empty((len(queries), len(vectors)), "float32")
        for start in range(0, len(vectors), _ROWS_OF_INT8):
            part = slice(start, start + _ROWS_OF_INT8)
            np.matmul(queries, vectors[part].astype("float32").T, out=products[:, part])
        return np.multiply(products, scales, out=products)


class Binary:
    """The signs alone, a bit each, in words of 64: 1 for numbers above 0, as in sentence-transformers' "ubinary"."""

    def columns(self, width: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        return {"bits": ("uint8", (-(-width // 64) * 8,))}

    def encode(self, vectors: np.ndarray) -> Columns:
        padding = -vectors.shape[1] % 64
        return {"bits": np.packbits(np.pad(vectors > 0, ((0, 0), (0, padding))), axis=1)}

    def decode(self, columns: Columns, width: int) -> np.ndarray:
        signs = np.unpackbits(columns["bits"], axis=1)[:, :width].astype("float32") * 2 - 1
        return signs / np.sqrt(np.float32(width))

    def scores(self, queries: np.ndarray, columns: Columns) -> np.ndarray:
        """The number of equal bits less that of all: 0 for all signs alike."""
        words = np.ascontiguousarray(columns["bits"]).view("uint64")
        ones = np.ones(words.shape[1], "float32")
        scores = np.empty((len(queries), len(words)), "float32")
        for row, query in enumerate(self.encode(queries)["bits"].view("uint64")):
            # The counts are summed by a matrix product, twice as fast as NumPy's sum over few columns.
            np.matmul(np.bitwise_count(words ^ query).astype("float32"), -ones, out=scores[row])
        return scores


_ENCODINGS = dict(zip(PRECISIONS, (Float32(), Int8(), Binary())))


def encoding_of(precision: str) -> Encoding:
    """The `Encoding` of a name.

    Raises:
        ValueError: for an unknown one.

    Example:
        >>> from keras_transformer.search.encodings import encoding_of
        >>> encoding = encoding_of("int8")
        >>> kept = encoding.encode(np.array([[0.6, -0.8]], "float32"))
        >>> kept["vectors"], encoding.decode(kept, 2).round(3)
        (array([[  95, -127]], dtype=int8), array([[ 0.598, -0.8  ]], dtype=float32))
    """
    return _ENCODINGS[arguments.one_of("precision", precision, PRECISIONS)]
