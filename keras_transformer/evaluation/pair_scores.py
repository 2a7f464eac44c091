"""How good the scores of pairs of texts are."""

import dataclasses
from collections.abc import Callable

import numpy as np

from keras_transformer import arguments
from keras_transformer.evaluation.estimate import Estimate, bootstrap_interval
from keras_transformer.evaluation.inputs import check_counts
from keras_transformer.evaluation.textual_similarity import pearson, spearman
from keras_transformer.types import Tensor

KINDS = ("matches", "similarity", "classes")


@dataclasses.dataclass(frozen=True)
class PairScores:
    """Figures of a scorer of pairs.

    Attributes:
        num_pairs: number of pairs.
        estimates: a tuple of `Estimate`s, the one that chooses among scorers first: of "matches" the average precision
            and the accuracy at the best threshold; of "similarity" the rank correlation and Pearson's; of "classes" the
            accuracy and the mean F1 of the classes.

    Example:
        >>> from keras_transformer.evaluation import score_pairs
        >>> scores = score_pairs([0.9, 0.8, 0.7], [1, 0, 1], "matches")
        >>> [(one.name, round(one.value, 3)) for one in scores.estimates]
        [('average precision', 0.833), ('accuracy', 0.667)]
    """

    num_pairs: int
    estimates: tuple[Estimate, ...]


def score_pairs(scores: Tensor, gold: Tensor, kind: str, num_resamples: int = 1000) -> PairScores:
    """Compares the scores of pairs with what is right.

    Args:
        scores: (N,), or of "classes" the probabilities (N, L).
        gold: (N,): of "matches" 1 or 0; of "similarity" numbers; of "classes" the numbers of the right classes.
        kind: "matches", "similarity" or "classes".
        num_resamples: number of bootstrap resamples.

    Returns:
        A `PairScores`. Figures are NaN where they are not defined: without a single match, for example.

    Raises:
        ValueError: for an unknown kind, unequal numbers, scores that are not finite or of another shape, and what is no
            number of `gold`, or of no class.

    Example:
        >>> from keras_transformer.evaluation import score_pairs
        >>> round(score_pairs([0.1, 0.5, 0.9], [0, 2.5, 5], "similarity").estimates[0].value, 6)
        1.0
    """
    check_counts(scores=scores, gold=gold)
    arguments.one_of("kind", kind, KINDS)
    arguments.positive_integer("num_resamples", num_resamples)
    scores, gold = np.asarray(scores, "float64"), np.asarray(gold)
    if scores.ndim != 1 + (kind == "classes") or not np.isfinite(scores).all():
        shape = "(N, number of classes)" if kind == "classes" else "(N,)"
        raise ValueError(f"Expected finite scores {shape} of {kind}. Received: shape {scores.shape}")
    bounds = (0, scores.shape[1] - 1) if kind == "classes" else (-np.inf, np.inf)
    if gold.ndim != 1 or not np.isfinite(gold).all() or gold.min() < bounds[0] or gold.max() > bounds[1]:
        raise ValueError(f"Expected finite gold (N,) from {bounds[0]} to {bounds[1]}. Received: {gold!r:.100}")

    def estimate(name, measure):
        interval = bootstrap_interval(lambda drawn: measure(scores[drawn], gold[drawn]), len(gold), num_resamples)
        return Estimate(name, measure(scores, gold), interval)

    return PairScores(len(gold), tuple(estimate(*named) for named in _MEASURES[kind].items()))


def main_figure(scores: Tensor, gold: Tensor, kind: str) -> tuple[str, float]:
    """The name and the value of the first of the `estimates` of `score_pairs`, without its interval."""
    name, measure = next(iter(_MEASURES[kind].items()))
    return name, measure(np.asarray(scores, "float64"), np.asarray(gold))


def average_precision(scores: np.ndarray, is_match: np.ndarray) -> float:
    """The area under precision over recall: the mean precision at each threshold, weighted by what it adds in recall.

    Equal scores are taken together. NaN without a match.
    """
    recalls, precisions = _at_thresholds(scores, is_match)
    return float(np.sum(np.diff(recalls, prepend=0.0) * precisions)) if np.any(is_match) else float("nan")


def best_accuracy(scores: np.ndarray, is_match: np.ndarray) -> float:
    """The accuracy at the threshold where it is highest."""
    ends, hits = _counts(scores, is_match)
    wrong = ends - hits
    # All that is above the threshold is a match, or nothing is.
    right = np.append(hits + (np.sum(is_match == 0) - wrong), np.sum(is_match == 0))
    return float(right.max() / len(is_match))


def accuracy(probabilities: np.ndarray, classes: np.ndarray) -> float:
    """How often the likeliest class is the right one."""
    return float(np.mean(probabilities.argmax(axis=1) == classes))


def mean_f1(probabilities: np.ndarray, classes: np.ndarray) -> float:
    """The mean, over the classes that are right or chosen somewhere, of their F1."""
    chosen = probabilities.argmax(axis=1)
    counts = [
        (np.sum((chosen == one) & (classes == one)), np.sum(chosen == one) + np.sum(classes == one))
        for one in np.union1d(chosen, classes)
    ]
    return float(np.mean([2 * both / either for both, either in counts]))


_MEASURES: dict[str, dict[str, Callable[[np.ndarray, np.ndarray], float]]] = {
    "matches": {"average precision": average_precision, "accuracy": best_accuracy},
    "similarity": {"Spearman": spearman, "Pearson": pearson},
    "classes": {"accuracy": accuracy, "mean F1": mean_f1},
}


def _at_thresholds(scores, is_match):
    ends, hits = _counts(scores, is_match)
    return hits / max(hits[-1], 1), hits / ends


def _counts(scores, is_match):
    """For each different score, falling: how many pairs have at least it, and how many of them match."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    return ends + 1, np.cumsum(is_match[order] != 0)[ends]
