"""Batches of translation pairs of similar length, for teacher forcing."""

import tensorflow as tf


def filter_by_length(pairs: tf.data.Dataset, max_length: int) -> tf.data.Dataset:
    """The pairs of (source ids + end, begin + target ids + end) with tokens on both sides, and at most `max_length`."""

    def fits(source, target):
        # The end id alone is one token; the begin id of the target does not count.
        num_source, num_target = tf.size(source), tf.size(target) - 1
        longest = tf.maximum(num_source, num_target)
        return (tf.minimum(num_source, num_target) > 1) & (longest <= max_length)

    return pairs.filter(fits)


def batch_by_length(
    pairs: tf.data.Dataset,
    tokens_per_batch: int,
    max_length: int,
    padding_ids: tuple[int, int],
    fixed_shapes: bool = False,
) -> tf.data.Dataset:
    """Padded batches of pairs of similar length.

    Args:
        pairs: a dataset of (source ids + end, begin + target ids + end).
        tokens_per_batch: upper bound of batch size x longest sequence, padding included, on each side.
        max_length: the longest sequence.
        padding_ids: of the source and of the target.
        fixed_shapes: whether to pad to the length of the bucket and drop incomplete batches.
    """
    lengths = bucket_lengths(max_length)
    batches = pairs.bucket_by_sequence_length(
        lambda source, target: tf.maximum(tf.size(source), tf.size(target) - 1),
        # The boundary of a bucket is exclusive.
        [length + 1 for length in lengths],
        [tokens_per_batch // length for length in lengths] + [1],
        padded_shapes=([None], [None]),
        padding_values=padding_ids,
        drop_remainder=fixed_shapes,
    )
    return batches.map(lambda *pair: _pad_to_bucket(pair, lengths, padding_ids)) if fixed_shapes else batches


def bucket_lengths(max_length: int) -> list[int]:
    """The longest sequence of each bucket: multiples of 4, each about a sixth longer than the last, to `max_length`."""
    lengths = [8]
    while lengths[-1] < max_length:
        lengths.append(max(lengths[-1] + 4, lengths[-1] * 7 // 6 // 4 * 4))
    return [length for length in lengths if length < max_length] + [max_length]


def teacher_forcing(
    source: tf.Tensor, target: tf.Tensor, target_padding_id: int
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Source ids (B, S) and target ids (B, T + 1) as the inputs and labels of `Transformer`: labels are one ahead."""
    labels = target[:, 1:]
    # Shorter rows still have their end id as an input: where no label follows, it becomes padding.
    has_label = tf.cumsum(tf.cast(labels != target_padding_id, tf.int32), axis=1, reverse=True) > 0
    target = tf.where(has_label, target[:, :-1], target_padding_id)
    return {"source_ids": source, "target_ids": target}, labels


def _pad_to_bucket(pair, lengths, padding_ids):
    """Pads both sides to the length of the bucket that they came from."""
    source, target = pair
    longest = tf.maximum(tf.shape(source)[1], tf.shape(target)[1] - 1)
    width = tf.gather(lengths, tf.searchsorted(lengths, [longest])[0])
    return tuple(
        tf.pad(ids, [[0, 0], [0, to - tf.shape(ids)[1]]], constant_values=padding_id)
        for ids, to, padding_id in zip(pair, (width, width + 1), padding_ids)
    )
