"""Alignment and uniformity: whether like texts are near, and all texts spread over the sphere."""

import dataclasses

import numpy as np

from keras_transformer.evaluation.inputs import Embed, as_vectors, check_counts
from keras_transformer.types import Tensor, Texts
from keras_transformer.vector_similarity import directions

_ROWS_AT_ONCE = 1024


@dataclasses.dataclass(frozen=True)
class AlignmentUniformityScores:
    """Two losses of unit vectors, lower is better.

    Attributes:
        num_pairs: number of positive pairs.
        num_texts: number of distinct texts.
        alignment: the mean squared distance of positive pairs, from 0 to 4.
        uniformity: the logarithm of the mean of exp(-2 |x - y|^2) over all pairs of distinct texts; 0 if all have one
            vector.

    Example:
        >>> from keras_transformer.evaluation import score_alignment_uniformity
        >>> scores = score_alignment_uniformity([[1, 0], [0, 1]], [[1, 0], [0, -1]])
        >>> scores.alignment, scores.num_texts
        (2.0, 4)
    """

    num_pairs: int
    num_texts: int
    alignment: float
    uniformity: float


def score_alignment_uniformity(
    first: Texts, second: Texts, embed: Embed | None = None, is_positive: Tensor | None = None
) -> AlignmentUniformityScores:
    """Alignment of positive pairs and uniformity of all texts, of vectors made to have length 1.

    SimCSE takes as positive the pairs of the STS benchmark with a score above 4.

    Args:
        first: N texts, or their vectors (N, D).
        second: N texts or vectors, one for each of `first`.
        embed: takes a list of `str`, returns vectors (N, D); required for texts, of which it gets the distinct ones.
            Vectors are all taken as of distinct texts.
        is_positive: boolean (N,), which of the pairs are alike; by default all.

    Returns:
        An `AlignmentUniformityScores`.

    Raises:
        ValueError: if the lists differ in length, no pair is positive, there are fewer than two distinct texts, or
            vectors are not finite or differ in width.

    Example:
        >>> from keras_transformer.evaluation import score_alignment_uniformity
        >>> vectors = {"dog": [1, 0], "hound": [3, 4], "tree": [-4, 3]}
        >>> embed = lambda texts: [vectors[text] for text in texts]
        >>> scores = score_alignment_uniformity(["dog", "dog"], ["hound", "tree"], embed, [True, False])
        >>> round(scores.alignment, 6), round(scores.uniformity, 6)
        (0.8, -2.608392)

    References:
        Wang and Isola, 2020, "Understanding Contrastive Representation Learning through Alignment and Uniformity on the
        Hypersphere" (alpha = 2, t = 2); Gao et al., 2021, "SimCSE".
    """
    check_counts(first=first, second=second)
    is_positive = np.ones(len(first), bool) if is_positive is None else np.asarray(is_positive)
    if is_positive.dtype != bool or is_positive.shape != (len(first),) or not is_positive.any():
        raise ValueError(
            f"Expected booleans ({len(first)},), at least one of them true. Received: {is_positive.dtype} "
            f"{is_positive.shape}, {np.count_nonzero(is_positive)} true"
        )
    if embed is None:
        vectors = np.concatenate(as_vectors(None, first, second))
        rows = np.arange(2 * len(first)).reshape(2, -1)
    else:
        texts = {}
        rows = np.array([[texts.setdefault(text, len(texts)) for text in column] for column in (first, second)])
        (vectors,) = as_vectors(embed, list(texts))
    if len(vectors) < 2:
        raise ValueError(f"Expected at least 2 distinct texts. Received: {len(vectors)}")
    vectors = directions(vectors.astype("float64"))
    distances = vectors[rows[0]] - vectors[rows[1]]
    alignment = np.mean(np.sum(distances[is_positive] ** 2, axis=1))
    return AlignmentUniformityScores(int(is_positive.sum()), len(vectors), float(alignment), _uniformity(vectors))


def _uniformity(vectors):
    squares = np.sum(vectors**2, axis=1)  # 1, but of zero vectors
    total, count = 0.0, len(vectors)
    for start in range(0, count, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        distances = squares[rows, None] + squares - 2 * vectors[rows] @ vectors.T
        total += np.sum(np.exp(-2 * np.maximum(distances, 0)))
    return float(np.log((total - count) / (count * (count - 1))))  # without each text and itself
