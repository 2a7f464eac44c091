import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from threadpoolctl import threadpool_limits

from keras_transformer.evaluation import cross_validate, text_classification, train_and_test

STRENGTHS = [0.25, 1, 4, 16, 64, 256]
RANDOM = np.random.default_rng(3)
LABELS = np.array(["red", "green", "blue"])[np.arange(90) % 3]
VECTORS = RANDOM.normal(size=(3, 5))[np.arange(90) % 3] + RANDOM.normal(size=(90, 5))
VECTORS = VECTORS.astype("float32")


def search(train, test):
    """Scikit-learn's own way to choose the strength in the training part: the strength, the test part's accuracy."""
    folds = StratifiedKFold(5, shuffle=True, random_state=1111)
    length = np.mean(np.sqrt(np.sum(VECTORS[train] ** 2, axis=1)))
    found = GridSearchCV(LogisticRegression(max_iter=1000), {"C": STRENGTHS}, cv=folds)
    with threadpool_limits(1):  # on a busy machine their threads wait for each other
        found.fit(VECTORS[train] / length, LABELS[train])
        return found.best_params_["C"], found.score(VECTORS[test] / length, LABELS[test])


def test_cross_validation_is_that_of_scikit_learn():
    scores = cross_validate(VECTORS, list(LABELS), num_folds=4)
    folds = StratifiedKFold(4, shuffle=True, random_state=1111)
    strengths, accuracies = zip(*(search(train, test) for train, test in folds.split(VECTORS, LABELS)))
    np.testing.assert_allclose(scores.fold_accuracies, accuracies)
    assert scores.fold_strengths == strengths and len(set(strengths)) > 1
    assert scores.accuracy.name == "accuracy" and scores.accuracy.value == pytest.approx(np.mean(accuracies))
    assert (scores.num_texts, scores.num_labels) == (90, 3)
    assert 0.5 < np.mean(accuracies) < 0.95 and len(set(accuracies)) > 1


def test_ten_folds_by_default():
    few = np.arange(90) % 3 < 2
    assert len(cross_validate(VECTORS[few, :2], LABELS[few]).fold_accuracies) == 10


def test_a_given_split_is_that_of_scikit_learn():
    scores = train_and_test(VECTORS[:60], LABELS[:60], VECTORS[60:], LABELS[60:])
    strength, accuracy = search(np.arange(60), np.arange(60, 90))
    assert scores.fold_strengths == (strength,) and scores.accuracy.value == pytest.approx(accuracy)
    assert scores.fold_accuracies == (scores.accuracy.value,)
    assert (scores.num_texts, scores.num_labels) == (30, 3)


def test_the_strength_is_chosen_without_a_look_at_the_test_texts():
    """Other labels there change nothing but the accuracy."""
    scores = train_and_test(VECTORS[:60], LABELS[:60], VECTORS[60:], LABELS[60:])
    others = train_and_test(VECTORS[:60], LABELS[:60], VECTORS[60:], np.roll(LABELS[60:], 1))
    assert others.fold_strengths == scores.fold_strengths and others.accuracy.value < scores.accuracy.value


def test_the_scale_does_not_matter():
    plain, scaled = (train_and_test(v[:60], LABELS[:60], v[60:], LABELS[60:]) for v in (VECTORS, VECTORS * 64))
    assert scaled == plain


def test_unit_vectors_may_have_weak_regularization():
    """The labels lie in a direction of small variance, which SentEval's largest strength does not find."""
    vectors = np.random.default_rng(4).normal(size=(300, 20))
    labels = (vectors[:, 0] > 0).astype(int)
    vectors[:, 0] *= 0.1
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = train_and_test(vectors[:200], labels[:200], vectors[200:], labels[200:])
    with_8 = LogisticRegression(C=8).fit(vectors[:200], labels[:200]).score(vectors[200:], labels[200:])
    assert scores.fold_strengths[0] > 8 and scores.accuracy.value > with_8 + 0.05


def test_the_interval_is_that_of_a_fraction():
    """About 1.96 standard errors of a binomial fraction to each side."""
    correct = np.arange(400) % 4 > 0
    accuracy = text_classification._scores(correct, [np.arange(400)], [1.0], 2, 4000).accuracy
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    np.testing.assert_allclose(accuracy.interval, [0.75 - half, 0.75 + half], atol=0.004)


def test_texts_and_an_embedder():
    texts = [f"text {i}" for i in range(90)]
    vectors = dict(zip(texts, VECTORS))
    embed = lambda texts: [vectors[text] for text in texts]  # noqa: E731
    assert cross_validate(texts, LABELS, embed, num_folds=2) == cross_validate(VECTORS, LABELS, num_folds=2)
    given = train_and_test(texts[:60], LABELS[:60], texts[60:], LABELS[60:], embed)
    assert given == train_and_test(VECTORS[:60], LABELS[:60], VECTORS[60:], LABELS[60:])


@pytest.mark.parametrize(
    "classify", [lambda: cross_validate(VECTORS, LABELS), lambda: train_and_test(*[VECTORS, LABELS] * 2)]
)
def test_no_scikit_learn_says_what_to_install(classify, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"pip install keras-transformer-layers\[evaluation\]"):
        classify()


@pytest.mark.parametrize(
    "classify, message",
    [
        (lambda: cross_validate(VECTORS, LABELS[1:]), "Received: texts=90, labels=89"),
        (lambda: cross_validate([], []), "Expected equally many of each, at least one. Received: texts=0, labels=0"),
        (lambda: cross_validate(VECTORS, ["x"] * 90), "at least 2 different labels. Received: x only"),
        (lambda: cross_validate(VECTORS, ["y"] * 9 + ["x"] * 81), "at least 10 texts of each label. Received: 9 of y"),
        (
            lambda: cross_validate(VECTORS, LABELS, num_folds=31),
            "at least 31 texts of each label. Received: 30 of blue",
        ),
        (lambda: cross_validate(VECTORS, LABELS, num_folds=1), "Expected at least 2 folds. Received: num_folds=1"),
        (
            lambda: cross_validate(VECTORS, LABELS, num_resamples=0),
            "Expected a positive integer. Received: num_resamples=0",
        ),
        (lambda: train_and_test(VECTORS, LABELS, VECTORS[:2], ["red"]), "Received: test_texts=2, test_labels=1"),
        (lambda: train_and_test(VECTORS[:12], LABELS[:12], VECTORS, LABELS), "at least 5 texts .* Received: 4 of blue"),
        (lambda: train_and_test(VECTORS, LABELS, VECTORS[:1], ["pink"]), "the training labels. Received: pink"),
        (
            lambda: train_and_test(VECTORS, LABELS, VECTORS[:, :4], LABELS),
            r"Expected vectors \(N, D\) of the same width. Received: shapes",
        ),
    ],
)
def test_bad_input(classify, message):
    with pytest.raises(ValueError, match=message):
        classify()
