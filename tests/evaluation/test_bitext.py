import numpy as np
import pytest

from keras_transformer.evaluation import score_bitext
from tests.evaluation.made_retrieval import embed_as

RANDOM = np.random.default_rng(6)
COUNT, K = 43, 4
VECTORS = RANDOM.normal(size=(2, COUNT, 5))
VECTORS[1] = VECTORS[0] + 0.9 * VECTORS[1]
TEXTS = [[f"{side}{number}" for number in range(COUNT)] for side in "st"]
TABLE = dict(zip(TEXTS[0] + TEXTS[1], VECTORS.reshape(-1, 5)))


def by_definition(num_pairs):
    """All of it, where the first `num_pairs` are translations, with loops and float64."""
    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in VECTORS)
    cosines = x @ y.T
    near = [np.sort(of, axis=1)[:, -K:].mean(axis=1) for of in (cosines, cosines.T)]
    margins = cosines / ((near[0][:, None] + near[1]) / 2)
    is_near = [np.argsort(np.argsort(-of, axis=1), axis=1) < K for of in (cosines, cosines.T)]
    forward = np.where(is_near[0], margins, -np.inf)
    backward = np.where(is_near[1].T, margins, -np.inf)
    own = np.arange(num_pairs)
    accuracies = [np.mean(of[:num_pairs].argmax(1) == own) for of in (cosines, cosines.T, forward, backward.T)]
    candidates = {(row, column): forward[row, column] for row, column in enumerate(forward.argmax(1))}
    candidates |= {(row, column): backward[row, column] for column, row in enumerate(backward.argmax(0))}
    mined, best = [], (0, 0, 0)
    for pair in sorted(candidates, key=candidates.get, reverse=True):
        if not any(pair[0] == source or pair[1] == target for source, target in mined):
            mined.append(pair)
            right = sum(source == target < num_pairs for source, target in mined)
            precision, recall = right / len(mined), right / num_pairs
            f1 = 2 * precision * recall / (precision + recall) if right else 0
            best = max(best, (f1, precision, recall, candidates[pair]), key=lambda found: found[0])
    return accuracies, best


@pytest.mark.parametrize("num_pairs", [COUNT, 20])
def test_figures_are_those_of_the_definition(num_pairs):
    rows = list(zip(TEXTS[0][:num_pairs], TEXTS[1][:num_pairs]))
    rows += [(text, "") for text in TEXTS[0][num_pairs:]] + [("", text) for text in TEXTS[1][num_pairs:]]
    scores = score_bitext(*zip(*rows), embed_as(TABLE))
    accuracies, (f1, precision, recall, threshold) = by_definition(num_pairs)
    assert (scores.num_pairs, scores.num_sources, scores.num_targets) == (num_pairs, COUNT, COUNT)
    found = [scores.forward_accuracy, scores.backward_accuracy]
    found += [scores.margin_forward_accuracy, scores.margin_backward_accuracy]
    np.testing.assert_allclose(found, accuracies)
    np.testing.assert_allclose([scores.f1, scores.precision, scores.recall], [f1, precision, recall])
    assert scores.threshold == pytest.approx(threshold, rel=1e-5) and 0.3 < f1 < 1


def test_a_sentence_with_several_translations():
    vectors = embed_as({"dog": [1, 0], "개": [9, 1], "멍멍이": [1, 0], "tree": [0, 1], "나무": [0, 2]})
    scores = score_bitext(["dog", "dog", "tree"], ["개", "멍멍이", "나무"], vectors)
    assert (scores.num_pairs, scores.num_sources, scores.num_targets) == (3, 2, 3)
    assert scores.forward_accuracy == scores.backward_accuracy == scores.precision == 1
    assert scores.recall == pytest.approx(2 / 3)  # no sentence is mined twice


def test_a_constant_embedder_finds_nothing():
    scores = score_bitext(["a", "b", "c"], ["x", "y", "z"], lambda texts: np.ones((len(texts), 2)))
    assert scores.forward_accuracy == scores.backward_accuracy == 0


def test_two_encoders():
    sides = embed_as({"dog": [1, 0], "tree": [0, 1]}), embed_as({"dog": [0, 1], "tree": [1, 0]})
    assert score_bitext(["dog", "tree"], ["dog", "tree"], *sides).forward_accuracy == 0
    assert score_bitext(["dog", "tree"], ["tree", "dog"], *sides).f1 == 1


def test_bad_input():
    with pytest.raises(ValueError, match="sources=1, targets=2"):
        score_bitext(["a"], ["b", "c"], np.ones)
    with pytest.raises(ValueError, match="Expected a sentence with its translation. Received none"):
        score_bitext(["a", ""], ["", "b"], np.ones)
    with pytest.raises(ValueError, match="num_neighbors=0"):
        score_bitext(["a"], ["b"], np.ones, num_neighbors=0)
