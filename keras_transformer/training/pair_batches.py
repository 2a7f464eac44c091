"""Batches of tokenized pairs, which the number of an epoch decides."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.text.text_pairs import tokenize_pairs
from keras_transformer.training.pair_data import PairData

if TYPE_CHECKING:
    from keras_transformer.text import Tokenizer

_TOKENIZED_AT_ONCE = 1000
_SORTED_BATCHES = 32  # whose pairs are sorted by length together


class PairBatches:
    """Batches of pairs of about equal length, for a `TrainingLoop`.

    Args:
        data: a `PairData`.
        tokenizer: of both texts.
        max_length: longer pairs are truncated to so many tokens.
        batch_size: pairs of a step.
        max_tokens: the most ids of a micro-batch, padding included; larger batches are split.
        seed: of the order of the pairs.

    Attributes:
        micro_batches: how many micro-batches make a step.
        num_truncated: how many pairs were truncated.

    Example:
        >>> from keras_transformer.training import PairData
        >>> from keras_transformer.training.pair_batches import PairBatches
        >>> data = PairData([("a", "b"), ("c", "de")], [1.0, 0.0])
        >>> batches = PairBatches(data, keras_transformer.text.ByteTokenizer(), 16, batch_size=2)
        >>> inputs, targets = next(iter(batches.of_epoch(0)))
        >>> inputs["ids"].shape, targets.shape
        (TensorShape([2, 6]), TensorShape([2, 1]))
    """

    def __init__(
        self,
        data: PairData,
        tokenizer: "Tokenizer",
        max_length: int,
        batch_size: int,
        max_tokens: int = 16384,
        seed: int = 0,
    ):
        self.batch_size = min(arguments.positive_integer("batch_size", batch_size), len(data.pairs))
        self._seed = arguments.non_negative_integer("seed", seed)
        rows = max(1, arguments.positive_integer("max_tokens", max_tokens) // max_length)
        self.micro_batches = -(-self.batch_size // rows)
        self._padding_id = tokenizer.padding_id
        self._ids, self._num_first, self.num_truncated = [], [], 0
        for start in range(0, len(data.pairs), _TOKENIZED_AT_ONCE):
            some = data.pairs[start : start + _TOKENIZED_AT_ONCE]
            pairs = tokenize_pairs(tokenizer, *map(list, zip(*some)), max_length)
            self.num_truncated += int((pairs.lengths.numpy() > max_length).sum())
            self._ids += np.split(pairs.ids.values.numpy(), pairs.ids.row_limits().numpy()[:-1])
            self._num_first.append(tf.reduce_sum(1 - pairs.segment_ids, axis=1).numpy())
        self._num_first = np.concatenate(self._num_first)
        self._lengths = np.asarray([len(ids) for ids in self._ids])
        # Of classes a row of 0 and 1 each: cross-entropy of whole numbers does not go through `TrainingLoop`.
        self._targets = np.eye(len(data.labels))[data.targets] if data.labels else data.targets[:, None]
        self._targets = self._targets.astype("float32")

    def of_epoch(self, epoch: int) -> tf.data.Dataset:
        """A dataset of ({"ids", "segment_ids"}, targets), (B, T) and (B, 1 or number of classes), of one pass.

        The pairs of an incomplete last batch wait for another pass.
        """
        ids = tf.TensorSpec([None, None], tf.int32)
        targets = tf.TensorSpec([None, self._targets.shape[1]], tf.float32)
        spec = ({"ids": ids, "segment_ids": ids}, targets)
        batches = tf.data.Dataset.from_generator(lambda: self._batches(epoch), output_signature=spec)
        options = tf.data.Options()
        options.autotune.enabled = False  # which waits at the end of an epoch
        return batches.with_options(options)

    def _batches(self, epoch) -> Iterator:
        for rows in self._rows_of_batches(np.random.default_rng([self._seed, epoch])):
            for some in np.array_split(rows, self.micro_batches):
                ids = self._padded(some)
                is_second = np.arange(ids.shape[1]) >= self._num_first[some][:, None]
                yield {"ids": ids, "segment_ids": is_second.astype("int32")}, self._targets[some]

    def _rows_of_batches(self, random):
        """The rows of each batch of a pass: within windows of some batches by length, then in any order."""
        order = random.permutation(len(self._ids))
        count = len(order) // self.batch_size
        window = self.batch_size * _SORTED_BATCHES
        order = order[: count * self.batch_size]
        windows = [order[start : start + window] for start in range(0, len(order), window)]
        rows = np.concatenate([some[np.argsort(self._lengths[some], kind="stable")] for some in windows])
        return rows.reshape(count, self.batch_size)[random.permutation(count)]

    def _padded(self, rows):
        padded = np.full((len(rows), self._lengths[rows].max()), self._padding_id, "int32")
        for row, ids in zip(padded, (self._ids[number] for number in rows)):
            row[: len(ids)] = ids
        return padded
