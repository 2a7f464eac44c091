"""Texts as ids in memory, and batches of them: arranged by length, so that little of a batch is padding."""

import copy as copy_module
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from keras_transformer.text import Tokenizer


class TokenizedTexts:
    """The token ids of texts, end to end: those of text i are `values[starts[i] : starts[i] + lengths[i]]`.

    Args:
        tokenizer: a tokenizer of `keras_transformer.text`.
        texts: a list of `str`.
        max_length: longer texts are truncated to so many tokens.

    Attributes:
        num_truncated: how many texts were truncated.
        num_empty: how many texts have no token.

    Example:
        >>> from keras_transformer.training.tokenized_texts import TokenizedTexts
        >>> texts = TokenizedTexts(keras_transformer.text.WordTokenizer(["red", "dog"]), ["red dog", "dog", ""])
        >>> texts.padded([1, 0]).shape, texts.num_empty
        ((2, 2), 1)
    """

    def __init__(
        self, tokenizer: "Tokenizer", texts: Sequence[str], max_length: int = 128, batch_size: int = 1000
    ) -> None:
        values, lengths = [], []
        self.num_truncated = 0
        for first in range(0, len(texts), batch_size):
            ids = tokenizer.tokenize(texts[first : first + batch_size])
            self.num_truncated += int((ids.row_lengths().numpy() > max_length).sum())
            ids = tokenizer.truncate(ids, max_length)
            values.append(ids.values.numpy())
            lengths.append(ids.row_lengths().numpy())
        self.padding_id = tokenizer.padding_id
        self._has_ends, self._ends = tokenizer.adds_ends, (tokenizer.begin_id, tokenizer.end_id)
        self.values, self.lengths = np.concatenate(values), np.concatenate(lengths)
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.num_empty = int((self.lengths == 0).sum())

    def with_ends(self, texts: Sequence[int]) -> np.ndarray:
        """As `padded`, with the begin and end ids around each text."""
        if self._has_ends:
            return self.padded(texts)
        ids = np.pad(self.padded(texts), [(0, 0), (1, 1)], constant_values=self.padding_id)
        ids[:, 0] = self._ends[0]
        ids[np.arange(len(ids)), self.lengths[texts] + 1] = self._ends[1]
        return ids

    def without_some(self, texts: Sequence[int], deletion: float, random: np.random.Generator) -> "TokenizedTexts":
        """The texts with these numbers, each token deleted with a probability; of each text at least one stays.

        Begin and end ids that the tokenizer puts around each text stay too.
        """
        lengths = self.lengths[texts]
        rows = np.repeat(np.arange(len(lengths)), lengths)
        columns = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        chances = random.random(len(rows))
        is_end = np.zeros(len(rows), bool)
        if self._has_ends:
            is_end = (columns == 0) | (columns == lengths[rows] - 1)
        # The token with the best chance stays in any case.
        best = np.full(len(lengths), -1.0)
        np.maximum.at(best, rows[~is_end], chances[~is_end])
        is_kept = is_end | (chances >= deletion) | (chances == best[rows])
        copy = copy_module.copy(self)
        copy.values = self.values[self.starts[texts][rows] + columns][is_kept]
        copy.lengths = np.bincount(rows[is_kept], minlength=len(lengths))
        copy.starts = np.cumsum(copy.lengths) - copy.lengths
        return copy

    def padded(self, texts: Sequence[int]) -> np.ndarray:
        """The ids of the texts with these numbers, int32 (N, T), T at least 1."""
        lengths = self.lengths[texts]
        columns = np.arange(max(1, lengths.max(initial=0)))
        is_token = columns < lengths[:, None]
        padded = np.full(is_token.shape, self.padding_id, "int32")
        padded[is_token] = self.values[(self.starts[texts][:, None] + columns)[is_token]]
        return padded

    def by_length(self, texts: Sequence[int]) -> np.ndarray:
        """Where in `texts` the shortest stands, then the next one, and so on."""
        return np.argsort(self.lengths[texts], kind="stable")

    def micro_batches(self, texts: np.ndarray, num_tokens: int) -> Iterator[np.ndarray]:
        """Texts that are in order of length, in parts of at most `num_tokens` with their padding."""
        lengths = self.lengths[texts]
        begin = 0
        for end in range(1, len(texts) + 1):
            longest = lengths[end] if end < len(texts) else np.inf
            if max(longest, 1) * (end + 1 - begin) > num_tokens:
                yield texts[begin:end]
                begin = end
