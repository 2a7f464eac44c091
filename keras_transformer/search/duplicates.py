"""Texts that say again what an earlier one said."""

import numpy as np

from keras_transformer.search.unit_vectors import Embed, unit_vectors
from keras_transformer.types import Texts

_ROWS_AT_ONCE, _KEPT_AT_ONCE = 512, 2**15


def near_duplicates(texts: Texts, embed: Embed | None = None, threshold: float = 0.95) -> np.ndarray:
    """Which earlier text each text repeats.

    In the order of the texts, each one is kept unless a kept one before it has at least that cosine.

    Args:
        texts: N `str`, or their vectors (N, D).
        embed: takes a list of `str`, returns vectors (N, D); required for texts.
        threshold: the smallest cosine of duplicates.

    Returns:
        int64 (N,): the number of the first kept text that a text repeats, or its own where it is kept. A zero vector,
        of an empty text for example, is always kept if the threshold is above 0.

    Raises:
        ValueError: for a threshold out of [-1, 1], arrays of other shapes, NaN and infinity.

    Example:
        >>> from keras_transformer.search import near_duplicates
        >>> original = near_duplicates([[1, 0], [0, 1], [10, 1], [1, 1]])
        >>> original
        array([0, 1, 0, 3])
        >>> np.flatnonzero(original == np.arange(4))  # what is kept
        array([0, 1, 3])
    """
    if not -1 <= threshold <= 1:
        raise ValueError(f"Expected a cosine in [-1, 1]. Received: threshold={threshold!r}")
    vectors = unit_vectors(texts, embed)
    threshold = np.float32(threshold)
    original = np.arange(len(vectors))
    kept = np.zeros(0, np.int64)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(vectors)))
        for first in range(0, len(kept), _KEPT_AT_ONCE):
            some = kept[first : first + _KEPT_AT_ONCE]
            is_near = vectors[rows] @ vectors[some].T >= threshold
            is_repeated = is_near.any(axis=1)
            original[rows[is_repeated]] = some[is_near[is_repeated].argmax(axis=1)]
            rows = rows[~is_repeated]
        is_near = np.tril(vectors[rows] @ vectors[rows].T >= threshold, -1)
        is_kept = np.ones(len(rows), bool)
        for place in np.flatnonzero(is_near.any(axis=1)):
            earlier = np.flatnonzero(is_near[place] & is_kept)
            if len(earlier):
                original[rows[place]] = rows[earlier[0]]
                is_kept[place] = False
        kept = np.concatenate([kept, rows[is_kept]])
    return original
