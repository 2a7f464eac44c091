"""Clusters of texts, by scikit-learn."""

import numpy as np

from keras_transformer import arguments
from keras_transformer.search.unit_vectors import Embed, unit_vectors
from keras_transformer.types import Texts

_STARTS = 10  # of k-means; the best one counts
_ROUNDING = 1e-6


def k_means(texts: Texts, embed: Embed | None = None, num_clusters: int = 8, seed: int = 0) -> np.ndarray:
    """Clusters of which the number is known, by k-means on vectors of length 1.

    Args:
        texts: N `str`, or their vectors (N, D).
        embed: takes a list of `str`, returns vectors (N, D); required for texts.
        num_clusters: how many, at most N.
        seed: of the ten starts, the best of which counts.

    Returns:
        int64 (N,), the number of each text's cluster, in the order of their first texts.

    Raises:
        ValueError: for a number of clusters that is not from 1 to N, arrays of other shapes, NaN and infinity.
        ImportError: if scikit-learn is not installed (`pip install keras-transformer-layers[search]`).

    Example:
        >>> from keras_transformer.search import k_means
        >>> vectors = {"a dog": [1, 0], "a tree": [0, 1], "some dog": [8, 1]}
        >>> k_means(list(vectors), lambda texts: [vectors[text] for text in texts], num_clusters=2)
        array([0, 1, 0])
    """
    clusters = _cluster()
    vectors = _checked(texts, embed, num_clusters)
    return _in_order(clusters.KMeans(num_clusters, n_init=_STARTS, random_state=seed).fit_predict(vectors))


def agglomerative_clustering(
    texts: Texts, embed: Embed | None = None, num_clusters: int | None = None, threshold: float | None = None
) -> np.ndarray:
    """Clusters that are merged until as many are left as are wanted, or none are near enough.

    The distance of two clusters is the mean of 1 - cosine over their pairs ("average linkage"). Memory and time grow
    with the square of the number of texts.

    Args:
        texts: N `str`, or their vectors (N, D).
        embed: takes a list of `str`, returns vectors (N, D); required for texts.
        num_clusters: how many, at most N.
        threshold: instead of a number, the mean cosine below which clusters are not merged.

    Returns:
        As `k_means`.

    Raises:
        ValueError: unless one of both is given; as `k_means`.
        ImportError: as `k_means`.

    Example:
        >>> from keras_transformer.search import agglomerative_clustering
        >>> agglomerative_clustering([[1, 0], [0, 1], [8, 1], [-1, 0]], threshold=0.9)
        array([0, 1, 0, 2])
    """
    clusters = _cluster()
    if (num_clusters is None) == (threshold is None):
        raise ValueError(
            f"Expected either num_clusters or threshold. Received: num_clusters={num_clusters}, threshold={threshold}"
        )
    if threshold is not None and not -1 <= threshold <= 1:
        raise ValueError(f"Expected a cosine in [-1, 1]. Received: threshold={threshold!r}")
    vectors = _checked(texts, embed, num_clusters)
    if len(vectors) < 2:  # which scikit-learn refuses
        return np.zeros(len(vectors), np.int64)
    distances = 1 - vectors @ vectors.T
    # scikit-learn does not merge at the threshold itself, which rounding may reach.
    distance_threshold = None if threshold is None else 1 - threshold + _ROUNDING
    merging = clusters.AgglomerativeClustering(
        num_clusters, metric="precomputed", linkage="average", distance_threshold=distance_threshold
    )
    return _in_order(merging.fit_predict(distances))


def _cluster():
    try:
        import sklearn.cluster
    except ImportError as error:
        raise ImportError(
            "Expected scikit-learn, which finds clusters. Install it with: pip install keras-transformer-layers[search]"
        ) from error
    return sklearn.cluster


def _checked(texts, embed, num_clusters):
    arguments.optional_positive_integer("num_clusters", num_clusters)
    if num_clusters is not None and num_clusters > len(texts):
        raise ValueError(f"Expected at most as many clusters as texts, {len(texts)}. Received: {num_clusters}")
    return unit_vectors(texts, embed)


def _in_order(labels):
    """Clusters numbered in the order in which they come first."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]
