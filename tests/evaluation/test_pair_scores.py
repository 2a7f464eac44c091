import numpy as np
import pytest

from keras_transformer.evaluation import score_pairs
from keras_transformer.evaluation.pair_scores import average_precision, best_accuracy


def figures(*given):
    return {one.name: one.value for one in score_pairs(*given, num_resamples=5).estimates}


def test_matches_by_hand():
    # Right at ranks 1 and 3 of four: (1 / 1 + 2 / 3) / 2; the best threshold leaves one wrong.
    assert figures([0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0], "matches") == {
        "average precision": pytest.approx(5 / 6),
        "accuracy": 0.75,
    }
    assert average_precision(np.array([3.0, 2.0, 1.0]), np.array([1, 1, 0])) == 1
    # Equal scores are taken together: half of them are right.
    assert average_precision(np.zeros(4), np.array([1, 0, 0, 1])) == 0.5
    assert best_accuracy(np.zeros(4), np.array([1, 0, 0, 0])) == 0.75
    assert np.isnan(average_precision(np.zeros(2), np.zeros(2)))


def test_similarity_and_classes_by_hand():
    assert figures([1, 2, 30], [0.1, 0.2, 0.3], "similarity")["Spearman"] == pytest.approx(1)
    probabilities = [[0.9, 0.1, 0], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0, 1, 0]]
    # Right: the first and the last. F1 of the classes: 2/3, 1/2 and 0.
    assert figures(probabilities, [0, 2, 1, 1], "classes") == {
        "accuracy": 0.5,
        "mean F1": pytest.approx((2 / 3 + 0.5 + 0) / 3),
    }


def test_bad_input():
    with pytest.raises(ValueError, match="scores=2, gold=1"):
        score_pairs([1, 2], [1], "matches")
    with pytest.raises(ValueError, match=r"of classes. Received: shape \(1,\)"):
        score_pairs([1], [1], "classes")
    with pytest.raises(ValueError, match=r"finite gold \(N,\) from -inf to inf. Received: array"):
        score_pairs([1, 2], [1, float("nan")], "similarity")
    with pytest.raises(ValueError, match=r"finite gold \(N,\) from 0 to 1. Received: array"):
        score_pairs([[0.3, 0.7]], [2], "classes")
    with pytest.raises(ValueError, match="kind='ranks'"):
        score_pairs([1], [1], "ranks")
