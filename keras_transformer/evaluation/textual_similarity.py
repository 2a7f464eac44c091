"""Semantic textual similarity: the correlation of vectors' similarity with the judgement of people."""

import dataclasses

import numpy as np

from keras_transformer import arguments
from keras_transformer.evaluation.estimate import Estimate, bootstrap_interval
from keras_transformer.evaluation.inputs import Embed, as_vectors, check_counts
from keras_transformer.types import Tensor, Texts
from keras_transformer.vector_similarity import similarity


@dataclasses.dataclass(frozen=True)
class SimilarityScores:
    """How well an embedder measures similarity.

    Attributes:
        num_pairs: number of pairs.
        cosine_pearson: an `Estimate`, Pearson's correlation of the gold scores with the cosine similarity.
        angular_pearson: an `Estimate`, Pearson's correlation with the angular similarity.
        spearman: an `Estimate`, Spearman's rank correlation, which is the same for both similarities.

    Example:
        >>> from keras_transformer.evaluation import score_similarity
        >>> first, second = np.eye(3)[[0, 0, 0]], np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0]])
        >>> scores = score_similarity(first, second, [5, 3, 0])
        >>> round(scores.spearman.value, 6), round(scores.cosine_pearson.value, 3)
        (1.0, 0.993)
    """

    num_pairs: int
    cosine_pearson: Estimate
    angular_pearson: Estimate
    spearman: Estimate


def score_similarity(
    first: Texts, second: Texts, gold: Tensor, embed: Embed | None = None, num_resamples: int = 1000
) -> SimilarityScores:
    """Correlates gold scores with the similarity of vectors.

    Args:
        first: N texts, or their vectors (N, D) of any length.
        second: N texts or vectors, one for each of `first`.
        gold: N numbers, higher for pairs that are more alike.
        embed: takes a list of `str`, returns vectors (N, D); required for texts.
        num_resamples: number of bootstrap resamples.

    Returns:
        A `SimilarityScores`. Figures are NaN where the correlation is not defined, because all similarities are equal.

    Raises:
        ValueError: if there are no pairs, the lists differ in length, the gold scores are not finite or all equal, or
            the vectors are not finite or differ in width.

    Example:
        >>> from keras_transformer.evaluation import score_similarity
        >>> vectors = {"dog": [1, 0], "hound": [2, 1], "tree": [0, 1]}
        >>> embed = lambda texts: [vectors[text] for text in texts]
        >>> round(score_similarity(["dog", "dog"], ["hound", "tree"], [5, 0], embed).spearman.value, 6)
        1.0

    References:
        Cer et al., 2018, "Universal Sentence Encoder" (angular similarity); Cer et al., 2017, "SemEval-2017 Task 1:
        Semantic Textual Similarity".
    """
    check_counts(first=first, second=second, gold=gold)
    arguments.positive_integer("num_resamples", num_resamples)
    gold = np.asarray(gold, "float64")
    if not np.isfinite(gold).all() or np.all(gold == gold[0]):
        raise ValueError(f"Expected finite gold scores that differ. Received: {gold.min():g} to {gold.max():g}")
    pairs = as_vectors(embed, first, second)
    cosines, angles = (similarity(*pairs, kind=kind, paired=True) for kind in ("cosine", "angular"))

    def estimate(name, correlate, similarities):
        interval = bootstrap_interval(
            lambda drawn: correlate(gold[drawn], similarities[drawn]), len(gold), num_resamples
        )
        return Estimate(name, correlate(gold, similarities), interval)

    return SimilarityScores(
        num_pairs=len(gold),
        cosine_pearson=estimate("Pearson, cosine", pearson, cosines),
        angular_pearson=estimate("Pearson, angular", pearson, angles),
        spearman=estimate("Spearman", spearman, cosines),
    )


def pearson(x: Tensor, y: Tensor) -> float:
    """Pearson's correlation of two vectors (N,); NaN if all numbers of one are equal."""
    x, y = np.asarray(x, "float64"), np.asarray(y, "float64")
    if np.all(x == x[0]) or np.all(y == y[0]):
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)), -1, 1))


def spearman(x: Tensor, y: Tensor) -> float:
    """Spearman's rank correlation of two vectors (N,); equal numbers share the mean of their ranks."""
    return pearson(_ranks(x), _ranks(y))


def _ranks(values):
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]
