"""Finding strings in a list, inside the graph, without a table: a table is a resource with a life of its own."""

import numpy as np
import tensorflow as tf

_LARGEST = (1 << 63) - 1


class StringIndex:
    """The places of strings in a list, by a search among sorted 63-bit hashes.

    Args:
        strings: a list of different `str`.
    """

    def __init__(self, strings):
        with tf.init_scope():
            hashes = hash_of(tf.constant(list(strings), tf.string)).numpy()
        order = np.argsort(hashes)
        self._hashes, self._order = hashes[order], order.astype("int32")

    def __call__(self, strings):
        """Strings (M,) to their places, int32 (M,); -1 for those that are not in the list."""
        if not len(self._order):
            return tf.fill(tf.shape(strings), -1)
        hashes, known = hash_of(strings), tf.constant(self._hashes)
        place = tf.minimum(tf.searchsorted(known, hashes), len(self._order) - 1)
        return tf.where(tf.gather(known, place) == hashes, tf.gather(tf.constant(self._order), place), -1)


def hash_of(strings):
    """Strings of any shape to integers in [0, 2^63 - 1)."""
    return tf.strings.to_hash_bucket_fast(strings, _LARGEST)
