"""Texts as ids in memory, and batches of them: arranged by length, so that little of a batch is padding."""

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
        self.values, self.lengths = np.concatenate(values), np.concatenate(lengths)
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.num_empty = int((self.lengths == 0).sum())

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
