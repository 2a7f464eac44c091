"""Two texts as the ids of one: begin, the first, end, the second, end."""

from typing import NamedTuple

import tensorflow as tf

from keras_transformer.text.tokenizer import Tokenizer, with_ends
from keras_transformer.types import Texts

NUM_ENDS = 3  # ids around the texts of a pair


class TokenizedPairs(NamedTuple):
    """The ids of N pairs of texts, ragged, and where the second texts are.

    Attributes:
        ids: int32 (N, number of tokens).
        segment_ids: int32, as `ids`: 0 in the first text and its ends, 1 in the second and its end.
        lengths: int64 (N,): how many ids a pair had before it was truncated.
    """

    ids: tf.RaggedTensor
    segment_ids: tf.RaggedTensor
    lengths: tf.Tensor


def tokenize_pairs(tokenizer: Tokenizer, first: Texts, second: Texts, max_length: int) -> TokenizedPairs:
    """Pairs of texts as BERT reads them: begin, ids of the first, end, ids of the second, end.

    Pairs of more than `max_length` ids lose the ends of the longer text, until both are equally long, then of both
    ("longest_first" of Hugging Face's tokenizers, with whose lengths these agree).

    Args:
        tokenizer: of both texts.
        first: strings (N,).
        second: strings (N,).
        max_length: of all ids, at least 3.

    Returns:
        The `TokenizedPairs`.

    Example:
        >>> from keras_transformer.text import ByteTokenizer
        >>> from keras_transformer.text.text_pairs import tokenize_pairs
        >>> pairs = tokenize_pairs(ByteTokenizer(), ["abcdef"], ["xy"], max_length=9)
        >>> pairs.ids.to_list(), pairs.segment_ids.to_list(), pairs.lengths.numpy()
        ([[2, 101, 102, 103, 104, 3, 124, 125, 3]], [[0, 0, 0, 0, 0, 0, 1, 1, 1]], array([11]))
    """
    first, second = (tokenizer.tokenize(texts, add_begin=False, add_end=False) for texts in (first, second))
    lengths = first.row_lengths(), second.row_lengths()
    room = max_length - NUM_ENDS
    shorter = tf.minimum(tf.minimum(*lengths), room // 2)
    longer = tf.minimum(tf.maximum(*lengths), room - shorter)
    is_longer = lengths[0] > lengths[1]
    first = _truncated(first, tf.where(is_longer, longer, tf.minimum(lengths[0], shorter)))
    second = _truncated(second, tf.where(is_longer, tf.minimum(lengths[1], shorter), longer))
    rows = tf.shape(first.row_starts())
    begin, end = (tf.fill(rows, token_id) for token_id in (tokenizer.begin_id, tokenizer.end_id))
    first, second = with_ends(first, begin, end), with_ends(second, end=end)
    segments = [part.with_values(tf.fill(tf.shape(part.values), i)) for i, part in enumerate((first, second))]
    return TokenizedPairs(_joined(first, second), _joined(*segments), lengths[0] + lengths[1] + NUM_ENDS)


def _truncated(ids, lengths):
    """The first so many ids of each row."""
    positions = tf.range(tf.size(ids.values, ids.row_splits.dtype), dtype=ids.row_splits.dtype)
    rows = ids.value_rowids()
    is_kept = positions - tf.gather(ids.row_starts(), rows) < tf.gather(lengths, rows)
    return tf.RaggedTensor.from_row_lengths(
        tf.boolean_mask(ids.values, is_kept), tf.minimum(ids.row_lengths(), lengths), validate=False
    )


def _joined(first, second):
    """Each row of the one, and behind it that of the other; `tf.concat` of ragged tensors would bring assertions."""
    places = []
    for part, before in ((first, second.row_starts()), (second, first.row_limits())):
        positions = tf.range(tf.size(part.values, part.row_splits.dtype), dtype=part.row_splits.dtype)
        places.append(tf.cast(positions + tf.gather(before, part.value_rowids()), tf.int32))
    values = tf.dynamic_stitch(places, [first.values, second.values])
    lengths = first.row_lengths() + second.row_lengths()
    return tf.RaggedTensor.from_row_lengths(values, lengths, validate=False)
