import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.pipelines.slices import in_chunks, in_slices

VECTOR = tf.TensorSpec([None, 3], tf.float32)


def ragged(lengths):
    """Row n has so many times n + 1."""
    return tf.RaggedTensor.from_row_lengths(np.repeat(np.arange(len(lengths)) + 1, lengths).astype("int32"), lengths)


def in_graph(function, lengths, specs):
    return tf.function(lambda: in_slices(function, lengths, specs))()


def sums_and_shape(tokens):
    """For each row its sum, and how many rows and columns came with it."""

    def function(rows):
        ids = tf.gather(tokens, rows).to_tensor()
        shape = tf.tile(tf.shape(ids)[None], [tf.shape(ids)[0], 1])
        return tf.cast(tf.concat([tf.reduce_sum(ids, axis=1, keepdims=True), shape], axis=1), tf.float32)

    return in_graph(function, tokens.row_lengths(), VECTOR).numpy()


def test_rows_keep_their_order_and_slices_their_bounds():
    lengths = np.random.default_rng(3).integers(0, 60, 1013)
    lengths[[7, 11]] = 5003, 2000  # one longer than a slice, and one that has room for another
    sums, rows, columns = sums_and_shape(ragged(lengths)).T
    np.testing.assert_array_equal(sums, lengths * (np.arange(1013) + 1))
    assert (rows[7], columns[7]) == (1, 5003)
    others = np.delete(np.arange(1013), 7)
    assert (rows * columns)[others].max() <= 4096 and rows.max() <= 256
    assert columns[lengths < 10].max() < 30  # short ones are among their like
    assert np.sum(1 / rows) < 20  # few slices


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 0], [3], [1, 0, 2]])
def test_few_rows_are_one_slice(lengths):
    result = sums_and_shape(ragged(lengths))
    assert result.shape == (len(lengths), 3)
    np.testing.assert_array_equal(result[:, 0], np.array(lengths) * (np.arange(len(lengths)) + 1))
    np.testing.assert_array_equal(result[:, 1], np.full(len(lengths), len(lengths)))


def test_structures_of_results():
    lengths = np.random.default_rng(4).integers(0, 90, 307)
    specs = {"text": tf.TensorSpec([None], tf.string), "pair": [tf.TensorSpec([None, 2], tf.int32)]}

    def function(rows):
        return {"text": tf.strings.as_string(rows), "pair": [tf.stack([rows, -rows], axis=1)]}

    found = in_graph(function, lengths, specs)
    assert [int(text) for text in found["text"].numpy()] == list(range(307))
    np.testing.assert_array_equal(found["pair"][0], np.stack([np.arange(307), -np.arange(307)], axis=1))


def test_gradients_pass_through():
    weight = tf.Variable([[2.0, 3.0, 5.0]])

    def function(rows):
        return tf.cast(rows[:, None] + 1, tf.float32) * weight

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(in_graph(function, np.full(300, 30), VECTOR))
    np.testing.assert_allclose(tape.gradient(loss, weight), np.full((1, 3), 300 * 301 / 2), rtol=1e-6)


@pytest.mark.parametrize("number", [0, 1, 5, 7, 10, 13])
def test_chunks_of_rows_as_they_come(number):
    def function(rows):
        return tf.repeat(rows, rows), {"rows": rows * 10, "number": tf.fill(tf.shape(rows), tf.size(rows))}

    integers = tf.TensorSpec([None], tf.int32)
    rows = np.arange(number, dtype="int32")
    specs = (integers, {"rows": integers, "number": integers})
    repeated, others = tf.function(lambda: in_chunks(function, tf.constant(rows), specs, max_rows=5))()
    np.testing.assert_array_equal(repeated, np.repeat(rows, rows))
    np.testing.assert_array_equal(others["rows"], rows * 10)
    np.testing.assert_array_equal(others["number"], [5] * (number // 5 * 5) + [number % 5] * (number % 5))
