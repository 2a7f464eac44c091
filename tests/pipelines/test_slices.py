import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.pipelines.pipeline import IDS, traced
from keras_transformer.pipelines.slices import in_slices


def pad(ids):
    return ids.to_tensor(0)


@traced(IDS)
def sums_and_shape(ids):
    """For each row its sum, and how many rows and columns came with it."""
    shape = tf.tile(tf.shape(ids)[None], [tf.shape(ids)[0], 1])
    return tf.cast(tf.concat([tf.reduce_sum(ids, axis=1, keepdims=True), shape], axis=1), tf.float32)


@traced(IDS, IDS)
def difference(first, second):
    return tf.cast(tf.stack([tf.reduce_sum(first, 1) - tf.reduce_sum(second, 1)], axis=1), tf.float32)


def ragged(lengths):
    """Row n has so many times n + 1."""
    return tf.RaggedTensor.from_row_lengths(np.repeat(np.arange(len(lengths)) + 1, lengths).astype("int32"), lengths)


def in_graph(model, width, *columns):
    return tf.function(lambda *columns: in_slices(model, columns, pad, width))(*columns).numpy()


def test_rows_keep_their_order_and_slices_their_bounds():
    lengths = np.random.default_rng(3).integers(0, 60, 1013)
    lengths[[7, 11]] = 5003, 2000  # one longer than a slice, and one that has room for another
    sums, rows, columns = in_graph(sums_and_shape, 3, ragged(lengths)).T
    np.testing.assert_array_equal(sums, lengths * (np.arange(1013) + 1))
    assert (rows[7], columns[7]) == (1, 5003)
    others = np.delete(np.arange(1013), 7)
    assert (rows * columns)[others].max() <= 4096 and rows.max() <= 256
    assert columns[lengths < 10].max() < 30  # short ones are among their like
    assert np.sum(1 / rows) < 20  # few slices


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 0], [3], [1, 0, 2]])
def test_few_rows_are_one_slice(lengths):
    result = in_graph(sums_and_shape, 3, ragged(lengths))
    assert result.shape == (len(lengths), 3)
    np.testing.assert_array_equal(result[:, 0], np.array(lengths) * (np.arange(len(lengths)) + 1))
    np.testing.assert_array_equal(result[:, 1], np.full(len(lengths), len(lengths)))


def test_columns_stay_side_by_side():
    first, second = np.random.default_rng(4).integers(0, 90, (2, 307))
    result = in_graph(difference, 1, ragged(first), ragged(second))
    np.testing.assert_array_equal(result[:, 0], (first - second) * (np.arange(307) + 1))


def test_gradients_pass_through():
    weight = tf.Variable([[2.0, 3.0]])

    @traced(IDS)
    def model(ids):
        return tf.cast(tf.reduce_sum(ids, 1, keepdims=True), tf.float32) * weight

    lengths = np.full(300, 30)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.function(lambda ids: in_slices(model, [ids], pad, 2))(ragged(lengths)))
    np.testing.assert_allclose(tape.gradient(loss, weight), np.full((1, 2), 30 * 300 * 301 / 2), rtol=1e-6)
