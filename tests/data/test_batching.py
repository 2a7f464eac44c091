import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.data.batching import batch_by_length, bucket_lengths, filter_by_length, teacher_forcing


def pairs(*lengths):
    """A dataset of pairs with as many tokens: source ids and end, begin and target ids and end, all of them ones."""
    signature = tf.TensorSpec([None], tf.int32)
    rows = ((np.ones(source, "int32"), np.ones(target + 1, "int32")) for source, target in lengths)
    return tf.data.Dataset.from_generator(lambda: rows, output_signature=(signature, signature))


@pytest.mark.parametrize("longest", [3, 8, 9, 100, 256])
def test_bucket_lengths_grow_to_the_longest(longest):
    lengths = bucket_lengths(longest)
    assert lengths[-1] == longest and lengths == sorted(set(lengths))


def test_bucket_lengths_by_hand():
    assert bucket_lengths(40) == [8, 12, 16, 20, 24, 28, 32, 36, 40]
    assert bucket_lengths(100)[-5:] == [64, 72, 84, 96, 100]


def test_pairs_that_are_too_long_or_have_an_empty_side_are_skipped():
    kept = filter_by_length(pairs((2, 2), (1, 5), (5, 1), (5, 2), (6, 2), (2, 6)), max_length=5)
    assert [(len(source), len(target) - 1) for source, target in kept] == [(2, 2), (5, 2)]


def test_a_batch_holds_pairs_of_one_bucket():
    batches = batch_by_length(pairs((8, 3), (9, 2), (1, 1), (4, 12), (5, 5)), 24, 12, (7, 0))
    shapes = [(source.shape, target.shape) for source, target in batches]
    # Of up to 8 tokens three fit into a batch, of up to 12 two.
    assert shapes == [((2, 9), (2, 13)), ((3, 8), (3, 6))]
    source, target = next(iter(batch_by_length(pairs((2, 1), (1, 2)), 24, 12, (7, 0))))
    assert source.numpy().tolist() == [[1, 1], [1, 7]] and target.numpy().tolist() == [[1, 1, 0], [1, 1, 1]]


def test_fixed_shapes_are_those_of_full_buckets():
    lengths = (8, 3), (9, 2), (1, 1), (4, 12), (5, 5), (3, 3)
    batches = batch_by_length(pairs(*lengths), 24, 12, (7, 0), fixed_shapes=True)
    assert [(source.shape, target.shape) for source, target in batches] == [((2, 12), (2, 13)), ((3, 8), (3, 9))]


def test_padding_is_what_follows_the_last_token():
    """A tokenizer may have the padding id for a text that spells the padding token."""
    inputs, labels = teacher_forcing(None, tf.constant([[2, 5, 0, 6, 3], [2, 7, 3, 0, 0]]), 0)
    np.testing.assert_array_equal(inputs["target_ids"], [[2, 5, 0, 6], [2, 7, 0, 0]])
    np.testing.assert_array_equal(labels, [[5, 0, 6, 3], [7, 3, 0, 0]])
