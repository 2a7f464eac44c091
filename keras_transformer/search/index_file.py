"""The file of an index: safetensors, so that others read it too, mapped into memory by whoever opens it."""

import contextlib
import json
import math
import os
import shutil
import typing
from collections.abc import Iterator

import numpy as np

from keras_transformer.atomic import replacing
from keras_transformer.search.encodings import Columns
from keras_transformer.search.rows import TextBlock
from keras_transformer.types import Config, PathLike

_FORMAT = "keras_transformer.SemanticIndex 1"
_SAFETENSORS = {"int64": "I64", "float32": "F32", "int8": "I8", "uint8": "U8"}
_TEXTS, _ENDS, _GRAPH, _SETTINGS = "texts", "text_ends", "graph", "settings"


class IndexFile(typing.NamedTuple):
    """What an index's file holds.

    Attributes:
        columns: {name: array of N rows}.
        texts: the N texts.
        settings: what `IndexFileWriter.finish` was given.
        graph: the bytes of the graph for approximate search, uint8, empty without one.

    Example:
        >>> from keras_transformer.search.index_file import read_index_file, writing_index_file
        >>> from keras_transformer.search.rows import TextBlock
        >>> with writing_index_file(tmp_path / "a.index", {"ids": ("int64", ())}) as writer:
        ...     writer.append({"ids": np.array([3, 4])}, TextBlock.of(["a", "b"]))
        ...     writer.finish({"width": 7})
        >>> file = read_index_file(tmp_path / "a.index")
        >>> file.columns["ids"].tolist(), list(file.texts), file.settings
        ([3, 4], ['a', 'b'], {'width': 7})
    """

    columns: Columns
    texts: TextBlock
    settings: Config
    graph: np.ndarray


@contextlib.contextmanager
def writing_index_file(path: PathLike, columns: dict[str, tuple[str, tuple[int, ...]]]) -> "Iterator[IndexFileWriter]":
    """Gives an `IndexFileWriter`. The file replaces `path` when the context ends without an error.

    Args:
        path: of the file.
        columns: {name: (dtype, shape of a row)}.
    """
    with replacing(path) as unfinished, contextlib.ExitStack() as stack:
        columns = {**columns, _ENDS: ("int64", ())}
        names = [*sorted(columns, key=lambda name: _misalignment(*columns[name])), _TEXTS]
        parts = {name: stack.enter_context(open(f"{unfinished}.{name}", "w+b")) for name in names}
        yield IndexFileWriter(unfinished, columns, parts)


class IndexFileWriter:
    """Takes the rows of an index in blocks, in constant memory; see `writing_index_file`.

    Args:
        path: of the file to write.
        columns: {name: (dtype, shape of a row)}, the ends of texts among them.
        parts: {name: open file} of each array, in the order in which they are put together.

    Example: see `IndexFile`.
    """

    def __init__(self, path: str, columns: dict[str, tuple[str, tuple[int, ...]]], parts: dict[str, typing.BinaryIO]):
        self._path, self._parts = path, parts
        self._columns = columns
        self._num_rows = self._num_bytes = 0

    def append(self, columns: Columns, texts: TextBlock) -> None:
        """Writes rows."""
        for name, (dtype, shape) in self._columns.items():
            array = texts.ends + self._num_bytes if name == _ENDS else columns[name]
            array = np.ascontiguousarray(array, np.dtype(dtype).newbyteorder("<"))
            if array.shape != (len(texts), *shape):
                raise ValueError(f"Expected {name} {(len(texts), *shape)}. Received: {array.shape}")
            self._parts[name].write(array.data if array.size else b"")
        self._parts[_TEXTS].write(texts.data.tobytes())
        self._num_rows += len(texts)
        self._num_bytes += len(texts.data)

    def finish(self, settings: Config, graph: bytes = b"") -> None:
        """Puts the file together.

        Args:
            settings: what JSON can hold.
            graph: for approximate search.
        """
        encoded = json.dumps({"format": _FORMAT, **settings}).encode()
        shapes = {name: (dtype, (self._num_rows, *shape)) for name, (dtype, shape) in self._columns.items()}
        shapes[_TEXTS] = "uint8", (self._num_bytes,)
        whole = {**{name: shapes[name] for name in self._parts}, _GRAPH: ("uint8", (len(graph),))}
        whole[_SETTINGS] = "uint8", (len(encoded),)
        with open(self._path, "wb") as file:
            file.write(_header(whole))
            for part in self._parts.values():
                part.seek(0)
                shutil.copyfileobj(part, file, 2**20)
                part.close()
                os.remove(part.name)
            file.write(graph)
            file.write(encoded)


def read_index_file(path: PathLike) -> IndexFile:
    """Maps an index's file into memory.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: for another or a damaged file.
    """
    # Not before it is needed: its room brings all converters.
    from keras_transformer.convert.safetensors_file import read_safetensors

    tensors = read_safetensors(path)
    try:
        settings = json.loads(tensors.pop(_SETTINGS).tobytes())
        texts = TextBlock(tensors.pop(_TEXTS), tensors.pop(_ENDS))
        graph = tensors.pop(_GRAPH)
        is_ours = settings.pop("format") == _FORMAT and all(len(x) == len(texts) for x in tensors.values())
    except (KeyError, ValueError, AttributeError):
        is_ours = False
    if not is_ours:
        raise ValueError(f"Expected the file of a SemanticIndex. Received: {os.fspath(path)}, which is another")
    return IndexFile(tensors, texts, settings, graph)


def _misalignment(dtype, shape):
    """By what arrays are sorted, so that each begins at a multiple of the bytes of its numbers, or of 8."""
    row = math.prod(shape) * np.dtype(dtype).itemsize
    return row % 8 != 0, row % 4 != 0


def _header(tensors):
    """The start of a safetensors file, of a length that is a multiple of 8."""
    entries, end = {}, 0
    for name, (dtype, shape) in tensors.items():
        start, end = end, end + math.prod(shape) * np.dtype(dtype).itemsize
        entries[name] = {"dtype": _SAFETENSORS[dtype], "shape": shape, "data_offsets": [start, end]}
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header
