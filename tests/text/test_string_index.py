import numpy as np
import tensorflow as tf

from keras_transformer.text.string_index import StringIndex, hash_of

STRINGS = [f"word {i}" for i in range(1000)]


def test_positions_of_strings():
    places = StringIndex(STRINGS)(tf.constant([*reversed(STRINGS), "other", "", "word 1000"]))
    assert places.dtype == tf.int32
    np.testing.assert_array_equal(places, [*range(999, -1, -1), -1, -1, -1])


def test_no_strings():
    assert StringIndex(["a"])(tf.constant([], tf.string)).shape == (0,)
    np.testing.assert_array_equal(StringIndex([])(tf.constant(["a", ""])), [-1, -1])


def test_made_in_a_graph():
    graph = tf.function(lambda strings: StringIndex(["b", "a"])(strings))
    np.testing.assert_array_equal(graph(tf.constant(["a", "c"])), [1, -1])


def test_hashes_stay_the_same():
    """Saved models depend on them."""
    np.testing.assert_array_equal(hash_of(["dog", ""]), [7634539057392638305, 1936946117179621456])
