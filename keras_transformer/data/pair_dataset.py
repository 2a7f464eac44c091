"""`tf.data` datasets of translation pairs: lines of files, then their ids."""

import itertools
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from keras_transformer.data.lines import has_plain_lines, read_lines
from keras_transformer.types import Texts

_LINES_AT_ONCE = 512  # tokenized in one call
_PARALLEL_CALLS = 4


class PairTokenizer(Protocol):
    """What a tokenizer of pairs must have, as those of `keras_transformer.text` do; BPE-dropout needs `sample` too.

    Example:
        >>> from keras_transformer.data.pair_dataset import PairTokenizer
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer: PairTokenizer = ByteTokenizer()
        >>> tokenizer.padding_id, tokenizer.begin_id, tokenizer.end_id
        (0, 2, 3)
    """

    padding_id: int
    begin_id: int
    end_id: int

    def tokenize(self, texts: Texts, add_begin: bool | None = None, add_end: bool | None = None) -> tf.RaggedTensor: ...


def line_pairs(source: Sequence[str], target: Sequence[str] | None, both_directions: bool = False) -> tf.data.Dataset:
    """A dataset of (source line, target line).

    Args:
        source: paths of text files.
        target: paths of text files; `None` if those of `source` are tab-separated, with both sides.
        both_directions: whether each pair is followed by its reverse.
    """
    if target:
        lines = tf.data.Dataset.zip(_text_lines(source), _text_lines(target))
    else:
        lines = _text_lines(source).map(_two_columns)
    if not both_directions:
        return lines
    return lines.flat_map(
        lambda source, target: tf.data.Dataset.from_tensor_slices(([source, target], [target, source]))
    )


def tokenized_pairs(
    lines: tf.data.Dataset, source_tokenizer: PairTokenizer, target_tokenizer: PairTokenizer
) -> tf.data.Dataset:
    """A dataset of (source ids + end, begin + target ids + end) from one of (source line, target line)."""

    def tokenize(source, target):
        return (
            source_tokenizer.tokenize(source, add_end=True),
            target_tokenizer.tokenize(target, add_begin=True, add_end=True),
        )

    return _single_pairs(lines.batch(_LINES_AT_ONCE).map(tokenize, num_parallel_calls=_PARALLEL_CALLS))


def sampled_pairs(
    lines: tf.data.Dataset,
    source_tokenizer: PairTokenizer,
    target_tokenizer: PairTokenizer,
    dropout: float,
    seeds: tf.data.Dataset,
) -> tf.data.Dataset:
    """As `tokenized_pairs`, segmented at random.

    Args:
        lines: a dataset of (source line, target line).
        source_tokenizer: has the method `sample` of `SubwordTokenizer`.
        target_tokenizer: likewise.
        dropout: the probability of skipping a merge.
        seeds: a dataset of integers; each is the seed of some hundred lines.
    """

    def sample(lines, seed):
        source, target = lines
        return (
            _sampled(source_tokenizer, source, dropout, seed, begin=[]),
            _sampled(target_tokenizer, target, dropout, seed + 1, begin=[target_tokenizer.begin_id]),
        )

    return _single_pairs(tf.data.Dataset.zip(lines.batch(_LINES_AT_ONCE), seeds).map(sample))


def _single_pairs(tokenized):
    """Batches of ragged ids as single pairs."""
    # The rows of a ragged tensor are dense, but tf.data says so only after a map.
    return tokenized.unbatch().map(lambda *pair: tuple(tf.identity(ids) for ids in pair))


def _sampled(tokenizer, texts, dropout, seed, begin):
    """Strings (N,) to ragged ids (N, number of tokens) with the end id, segmented at random."""

    def sample(texts, seed):
        rows = tokenizer.sample([text.decode("utf-8", "replace") for text in texts], dropout, seed)
        rows = [begin + row + [tokenizer.end_id] for row in rows]
        return np.array(list(itertools.chain.from_iterable(rows)), "int32"), np.array([*map(len, rows)], "int64")

    ids, lengths = tf.numpy_function(sample, [texts, seed], [tf.int32, tf.int64], stateful=False)
    ids.set_shape([None])
    lengths.set_shape([None])
    return tf.RaggedTensor.from_row_lengths(ids, lengths, validate=False)


def _text_lines(paths):
    lines, *others = map(_lines_of_file, paths)
    for other in others:
        lines = lines.concatenate(other)
    return lines


def _lines_of_file(path):
    if has_plain_lines(path):
        return tf.data.TextLineDataset(path, compression_type="GZIP" if path.endswith(".gz") else None)
    # TensorFlow's reader would keep a byte order mark, and would not split lines at "\r".
    return tf.data.Dataset.from_generator(lambda: read_lines(path), output_signature=tf.TensorSpec([], tf.string))


def _two_columns(line):
    cells = tf.strings.split(line, "\t")
    return cells[0], cells[1]
