"""Looking up strings inside the graph without a lookup table, which would be one more resource to track and save."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from keras_transformer.types import Tensor

_LARGEST = (1 << 63) - 1


class StringIndex:
    """The positions of strings in a list, by binary search among sorted 63-bit hashes.

    Args:
        strings: an iterable of distinct `str`.

    Call arguments:
        strings: strings (M,).

    Returns:
        int32 positions (M,); -1 for strings that are not in the list.

    Example:
        >>> from keras_transformer.text.string_index import StringIndex
        >>> StringIndex(["red", "dog"])(["dog", "cat", "red"]).numpy().tolist()
        [1, -1, 0]
    """

    def __init__(self, strings: Iterable[str]) -> None:
        with tf.init_scope():
            hashes = hash_of(tf.constant(list(strings), tf.string)).numpy()
        order = np.argsort(hashes)
        self._hashes, self._order = hashes[order], order.astype("int32")

    def __call__(self, strings: Tensor) -> tf.Tensor:
        if not len(self._order):
            return tf.fill(tf.shape(strings), -1)
        hashes, known = hash_of(strings), tf.constant(self._hashes)
        place = tf.minimum(tf.searchsorted(known, hashes), len(self._order) - 1)
        return tf.where(tf.gather(known, place) == hashes, tf.gather(tf.constant(self._order), place), -1)


def hash_of(strings: Tensor) -> tf.Tensor:
    """Hashes strings of any shape to int64 in [0, 2^63 - 1), the same in every process and version of TensorFlow."""
    return tf.strings.to_hash_bucket_fast(strings, _LARGEST)
