"""Groups of texts around a centre."""

import numpy as np

from keras_transformer import arguments
from keras_transformer.search.unit_vectors import Embed, unit_vectors
from keras_transformer.types import Texts

_ROWS_AT_ONCE = 512


def community_detection(
    texts: Texts, embed: Embed | None = None, threshold: float = 0.75, min_community_size: int = 10
) -> list[np.ndarray]:
    """Groups of texts that are all alike to one of them, the centre; their number need not be known.

    It is `community_detection` of sentence-transformers: each text with enough neighbours is the centre of a group;
    large groups come first, and take their texts from later ones. Memory grows with the number of neighbours.

    Args:
        texts: N `str`, or their vectors (N, D).
        embed: takes a list of `str`, returns vectors (N, D); required for texts.
        threshold: the smallest cosine to the centre.
        min_community_size: smaller groups, counted with their centre, are left out.

    Returns:
        A list of int64 arrays, the largest first: numbers of texts, first the centre, then the most alike. No text is
        in two of them; most may be in none.

    Raises:
        ValueError: for a size below 1, a threshold out of [-1, 1], arrays of other shapes, NaN and infinity.

    Example:
        >>> from keras_transformer.search import community_detection
        >>> vectors = [[1, 0], [0, 1], [9, 1], [1, 9], [8, 1]]
        >>> community_detection(vectors, threshold=0.9, min_community_size=2)
        [array([0, 2, 4]), array([1, 3])]
    """
    arguments.positive_integer("min_community_size", min_community_size)
    if not -1 <= threshold <= 1:
        raise ValueError(f"Expected a cosine in [-1, 1]. Received: threshold={threshold!r}")
    vectors = unit_vectors(texts, embed)
    groups = _neighbours(vectors, np.float32(threshold), min_community_size)
    is_taken = np.zeros(len(vectors), bool)
    found = []
    for centre, group in sorted(groups, key=lambda item: len(item[1]), reverse=True):
        left = group[~is_taken[group]]
        if is_taken[centre] or len(left) < min_community_size:
            continue
        found.append(np.concatenate([[centre], left[left != centre]]).astype(np.int64))
        is_taken[found[-1]] = True
    return sorted(found, key=len, reverse=True)


def _neighbours(vectors, threshold, least):
    """Yields (number, its neighbours by falling cosine) of each vector that has enough."""
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        cosines = vectors[start : start + _ROWS_AT_ONCE] @ vectors.T
        is_near = cosines >= threshold
        for row in np.flatnonzero(np.count_nonzero(is_near, axis=1) >= least):
            near = np.flatnonzero(is_near[row])
            yield start + row, near[np.argsort(-cosines[row, near], kind="stable")].astype(np.uint32)
