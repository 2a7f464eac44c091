"""The rows of an index: arrays and texts, in blocks that were added one after the other."""

from collections.abc import Iterator, Sequence

import numpy as np

from keras_transformer.search.encodings import Columns


class TextBlock:
    """Texts in one array of bytes, which may be mapped from a file.

    Args:
        data: uint8, the texts in UTF-8 without gaps.
        ends: int64 (B,), where each one ends.

    Example:
        >>> from keras_transformer.search.rows import TextBlock
        >>> TextBlock.of(["a", "", "漢"])[2]
        '漢'
    """

    def __init__(self, data: np.ndarray, ends: np.ndarray):
        self.data, self.ends = data, ends

    @classmethod
    def of(cls, texts: Sequence[str]) -> "TextBlock":
        """Of a list of `str`; raises `ValueError` for anything else."""
        if wrong := [text for text in texts if not isinstance(text, str)]:
            raise ValueError(f"Expected strings. Received: {wrong[0]!r}")
        encoded = [text.encode() for text in texts]
        return cls(np.frombuffer(b"".join(encoded), "uint8"), np.cumsum([len(text) for text in encoded], dtype="int64"))

    @classmethod
    def joined(cls, blocks: Sequence["TextBlock"]) -> "TextBlock":
        """The texts of blocks, one behind the other."""
        starts = np.cumsum([0, *(len(block.data) for block in blocks)])
        data = np.concatenate([block.data for block in blocks])
        return cls(data, np.concatenate([block.ends + start for block, start in zip(blocks, starts)]))

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[str]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, row: int) -> str:
        start = self.ends[row - 1] if row else 0
        return self.data[start : self.ends[row]].tobytes().decode()

    def part(self, rows: np.ndarray) -> "TextBlock":
        """The texts of some rows, which ascend."""
        if not len(rows) or rows[-1] - rows[0] + 1 > len(rows):
            return TextBlock.of([self[row] for row in rows.tolist()])
        start = self.ends[rows[0] - 1] if rows[0] else 0
        return TextBlock(self.data[start : self.ends[rows[-1]]], self.ends[rows] - start)


class Rows:
    """Rows of arrays and texts.

    Example:
        >>> from keras_transformer.search.rows import Rows, TextBlock
        >>> rows = Rows()
        >>> rows.append({"ids": np.array([0, 1])}, TextBlock.of(["a", "b"]))
        >>> rows.append({"ids": np.array([5])}, TextBlock.of(["c"]))
        >>> rows.take(np.array([2, 0]), ["ids"]), rows.text(2)
        ({'ids': array([5, 0])}, 'c')
    """

    def __init__(self):
        self._blocks: list[tuple[Columns, TextBlock]] = []
        self._starts = np.zeros(1, "int64")  # of the blocks, and the end

    def __len__(self) -> int:
        return int(self._starts[-1])

    def append(self, columns: Columns, texts: TextBlock) -> None:
        """Adds rows."""
        self._blocks.append((columns, texts))
        self._starts = np.append(self._starts, len(self) + len(texts))

    def text(self, row: int) -> str:
        """The text of a row."""
        block = self._block_of(row)
        return self._blocks[block][1][row - int(self._starts[block])]

    def take(self, rows: np.ndarray, names: Sequence[str]) -> Columns:
        """The arrays of these names at some rows, which are copied."""
        blocks = self._block_of(rows)
        order = np.argsort(blocks, kind="stable")
        parts = [
            {name: self._blocks[block][0][name][rows[blocks == block] - self._starts[block]] for name in names}
            for block in np.unique(blocks)
        ]
        if not parts:  # no rows
            return {name: self.column(name)[:0] for name in names}
        back = np.argsort(order, kind="stable")
        return {name: np.concatenate([part[name] for part in parts])[back] for name in names}

    def column(self, name: str) -> np.ndarray:
        """One array of all rows."""
        parts = [columns[name] for columns, _ in self._blocks]
        return parts[0] if len(parts) == 1 else np.concatenate(parts or [np.zeros(0, "int64")])

    def slices(self, size: int) -> Iterator[tuple[np.ndarray, Columns, TextBlock, int]]:
        """Yields (row numbers, arrays, the texts of the block, the block's first row) of at most `size` rows."""
        for first, (columns, texts) in zip(self._starts.tolist(), self._blocks):
            for start in range(0, len(texts), size):
                end = min(start + size, len(texts))
                part = {name: column[start:end] for name, column in columns.items()}
                yield np.arange(first + start, first + end), part, texts, first

    def _block_of(self, rows):
        return np.searchsorted(self._starts, rows, side="right") - 1
