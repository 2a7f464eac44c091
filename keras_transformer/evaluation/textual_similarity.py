"""Semantic textual similarity: how well the angle between two sentences' vectors tells how alike people find them."""

import dataclasses

import numpy as np

from keras_transformer import arguments
from keras_transformer.evaluation.vectors import Estimate, as_vectors, check_counts, interval
from keras_transformer.pipelines.vector_similarity import similarity


@dataclasses.dataclass(frozen=True)
class SimilarityScores:
    """How well an embedder measures similarity.

    Attributes:
        num_pairs: how many were scored.
        cosine_pearson: an `Estimate`, the linear correlation of the gold scores with the cosine similarity.
        angular_pearson: an `Estimate`, that with the angular similarity.
        spearman: an `Estimate`, the correlation of the ranks, which are the same for both similarities.
    """

    num_pairs: int
    cosine_pearson: Estimate
    angular_pearson: Estimate
    spearman: Estimate


def score_similarity(first, second, gold, embed=None, num_resamples=1000):
    """Correlates gold scores with the similarity of vectors.

    Args:
        first: N texts, or their vectors (N, D) of any length.
        second: N others, one for each of `first`.
        gold: N numbers, higher for pairs that are more alike.
        embed: takes a list of `str`, gives vectors (N, D); wanted for texts.
        num_resamples: of the bootstrap.

    Returns:
        A `SimilarityScores`. Figures are NaN where the correlation is not defined: all similarities are equal.

    Raises:
        ValueError: for no pairs or unequal numbers of them, gold scores that are not finite or all equal, and vectors
            that are not finite or of unequal width.

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
        around = interval(lambda drawn: correlate(gold[drawn], similarities[drawn]), len(gold), num_resamples)
        return Estimate(name, correlate(gold, similarities), around)

    return SimilarityScores(
        num_pairs=len(gold),
        cosine_pearson=estimate("Pearson, cosine", pearson, cosines),
        angular_pearson=estimate("Pearson, angular", pearson, angles),
        spearman=estimate("Spearman", spearman, cosines),
    )


def pearson(x, y):
    """The linear correlation of two vectors (N,), a `float`; NaN if all numbers of one are equal."""
    x, y = np.asarray(x, "float64"), np.asarray(y, "float64")
    if np.all(x == x[0]) or np.all(y == y[0]):
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)), -1, 1))


def spearman(x, y):
    """The linear correlation of the ranks, a `float`; equal numbers share the mean of their ranks."""
    return pearson(_ranks(x), _ranks(y))


def _ranks(values):
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]
