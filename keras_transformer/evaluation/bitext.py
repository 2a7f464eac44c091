"""Bitext mining: how well translations find each other among the sentences of two languages."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_transformer import arguments
from keras_transformer.evaluation.inputs import Embed, check_counts, of_two_sides
from keras_transformer.evaluation.retrieval import answer_ranks
from keras_transformer.search.nearest import nearest_vectors
from keras_transformer.vector_similarity import directions


@dataclasses.dataclass(frozen=True)
class BitextScores:
    """How well translations are found, from 0 to 1.

    Attributes:
        num_pairs: number of distinct pairs of a sentence and its translation.
        num_sources: number of distinct source sentences, those without translation too.
        num_targets: the same of the target sentences.
        forward_accuracy: the fraction of the sources with translations that have one as their nearest target by cosine.
        backward_accuracy: the same from targets to sources.
        margin_forward_accuracy: as `forward_accuracy`, by margin.
        margin_backward_accuracy: as `backward_accuracy`, by margin.
        precision: of the pairs that are mined by margin, at `threshold`.
        recall: the same.
        f1: the harmonic mean of both.
        threshold: the margin above which pairs are mined: the one with the best F1.

    Example:
        >>> from keras_transformer.evaluation import score_bitext
        >>> scores = score_bitext(["dog", "tree"], ["개", "나무"], lambda texts: np.eye(2)[[0, 1, 0, 1]])
        >>> scores.forward_accuracy, scores.f1
        (1.0, 1.0)
    """

    num_pairs: int
    num_sources: int
    num_targets: int
    forward_accuracy: float
    backward_accuracy: float
    margin_forward_accuracy: float
    margin_backward_accuracy: float
    precision: float
    recall: float
    f1: float
    threshold: float


def score_bitext(
    sources: Sequence[str],
    targets: Sequence[str],
    embed: Embed,
    embed_targets: Embed | None = None,
    num_neighbors: int = 4,
) -> BitextScores:
    """Looks for each sentence's translation among all sentences of the other language.

    Accuracies are those of Tatoeba, and of sentence-transformers' `TranslationEvaluator`; of equal cosines the wrong
    one counts. Mining is that of BUCC: candidates are the `num_neighbors` nearest of each sentence in both directions,
    their score is the cosine divided by the mean cosine of both sentences to their nearest ones (margin); pairs are
    taken by falling score, no sentence twice, down to the threshold with the best F1.

    Args:
        sources: N sentences, at least two distinct ones.
        targets: their translations. An empty string on either side says that the other sentence has none, and only may
            be mistaken for one.
        embed: takes a list of `str`, returns vectors (N, D).
        embed_targets: the same for targets; by default `embed`.
        num_neighbors: k of the margin.

    Returns:
        A `BitextScores`.

    Raises:
        ValueError: if the lists differ in length, there is no pair, `num_neighbors` is not positive, or vectors are not
            finite.

    References:
        Artetxe and Schwenk, 2019, "Margin-based Parallel Corpus Mining with Multilingual Sentence Embeddings" (ratio,
        max strategy); Zweigenbaum et al., 2017, "Overview of the Second BUCC Shared Task".
    """
    check_counts(sources=sources, targets=targets)
    arguments.positive_integer("num_neighbors", num_neighbors)
    texts = [list(dict.fromkeys(filter(None, column))) for column in (sources, targets)]
    numbers = [{text: number for number, text in enumerate(column)} for column in texts]
    pairs = {(numbers[0][source], numbers[1][target]) for source, target in zip(sources, targets) if source and target}
    if not pairs:
        raise ValueError("Expected a sentence with its translation. Received none")
    vectors = [directions(side) for side in of_two_sides(embed, embed_targets, *texts)]
    right = [[[] for _ in side] for side in texts]
    for source, target in pairs:
        right[0][source].append(target)
        right[1][target].append(source)
    near = nearest_vectors(*vectors, num_neighbors), nearest_vectors(*vectors[::-1], num_neighbors)
    means = [found.scores.mean(axis=1, dtype="float64") for found in near]
    candidates = [_by_margin(found, means[side], means[1 - side]) for side, found in enumerate(near)]
    precision, recall, f1, threshold = _best_f1(_mined(*candidates), pairs)
    return BitextScores(
        len(pairs),
        *map(len, texts),
        *(_accuracy(vectors[side], vectors[1 - side], right[side]) for side in (0, 1)),
        *(_fraction(found[:, 0], right[side]) for side, (found, _) in enumerate(candidates)),
        precision=precision,
        recall=recall,
        f1=f1,
        threshold=threshold,
    )


def _accuracy(queries, others, right):
    rows = [row for row, found in enumerate(right) if found]
    ranks = answer_ranks(queries[rows], others, [np.array(right[row]) for row in rows])
    return float(np.mean([found[0] == 1 for found in ranks]))


def _fraction(found, right):
    return float(np.mean([number in expected for number, expected in zip(found, right) if expected]))


def _by_margin(near, own, other):
    """The neighbours (N, k) and their margins (N, k), the best first."""
    middle = (own[:, None] + other[near.ids]) / 2
    margins = np.divide(near.scores, middle, out=np.zeros_like(middle), where=middle > 0)
    order = np.argsort(-margins, axis=1, kind="stable")
    return np.take_along_axis(near.ids, order, axis=1), np.take_along_axis(margins, order, axis=1)


def _mined(forward, backward):
    """(source, target, margin) of pairs by falling margin, no sentence twice."""
    sources = np.concatenate([np.arange(len(forward[0])), backward[0][:, 0]])
    targets = np.concatenate([forward[0][:, 0], np.arange(len(backward[0]))])
    margins = np.concatenate([forward[1][:, 0], backward[1][:, 0]])
    seen, found = (set(), set()), []
    for place in np.argsort(-margins, kind="stable"):
        source, target = int(sources[place]), int(targets[place])
        if source not in seen[0] and target not in seen[1]:
            seen[0].add(source)
            seen[1].add(target)
            found.append((source, target, float(margins[place])))
    return found


def _best_f1(mined, pairs):
    """(precision, recall, F1, threshold) where F1 is best."""
    margins = np.array([margin for _, _, margin in mined])
    num_right = np.cumsum([pair[:2] in pairs for pair in mined])
    precision, recall = num_right / np.arange(1, len(mined) + 1), num_right / len(pairs)
    f1 = 2 * num_right / (np.arange(1, len(mined) + 1) + len(pairs))
    f1[:-1][margins[:-1] == margins[1:]] = -1  # a threshold takes all of one margin
    best = int(np.argmax(f1))
    return float(precision[best]), float(recall[best]), float(f1[best]), float(margins[best])
