"""Transfer to classification: logistic regression on the vectors of a frozen embedder, as SentEval does it."""

import dataclasses

import numpy as np

from keras_transformer import arguments
from keras_transformer.evaluation.vectors import Estimate, as_vectors, check_counts, interval

# Inverse strengths of regularisation to choose from, for vectors of mean length 1. SentEval's end at 8, which is too
# strong for these.
_STRENGTHS = tuple(4.0**power for power in range(-1, 5))
# Folds of the training part by which the strength is chosen.
_INNER_FOLDS = 5
_SEED = 1111  # SentEval's
_MOST_ITERATIONS = 1000


@dataclasses.dataclass(frozen=True)
class ClassificationScores:
    """How well texts are classified by their vectors.

    Attributes:
        num_texts: how many were classified.
        num_labels: how many different labels there are.
        accuracy: an `Estimate`: the mean over the folds, and the interval of the share of right answers.
        fold_accuracies: of each fold; a single one where the test texts were given.
        fold_strengths: the inverse strength of regularisation (scikit-learn's C, for vectors of mean length 1) that was
            chosen for each.
    """

    num_texts: int
    num_labels: int
    accuracy: Estimate
    fold_accuracies: tuple[float, ...]
    fold_strengths: tuple[float, ...]


def cross_validate(texts, labels, embed=None, num_folds=10, num_resamples=1000):
    """Accuracy of logistic regression by cross-validation.

    Folds are stratified and drawn with a fixed seed. In each, the strength of regularisation is chosen by
    cross-validation of its training part alone (5 folds; SentEval takes as many as outside).

    Args:
        texts: N texts, or their vectors (N, D).
        labels: their N labels, `str` or integers.
        embed: takes a list of `str`, gives vectors (N, D); wanted for texts.
        num_folds: how often the texts are divided; at least 2.
        num_resamples: of the bootstrap.

    Returns:
        A `ClassificationScores`.

    Raises:
        ValueError: for no texts or another number of labels, for a single label, for a label with fewer texts than
            the folds need, and for vectors that are not finite.
        ImportError: without scikit-learn (`pip install keras-transformer-layers[evaluation]`).

    References:
        Conneau and Kiela, 2018, "SentEval: An Evaluation Toolkit for Universal Sentence Representations".
    """
    check_scikit_learn()
    arguments.positive_integer("num_resamples", num_resamples)
    check_counts(texts=texts, labels=labels)
    if arguments.positive_integer("num_folds", num_folds) < 2:
        raise ValueError(f"Expected at least 2 folds. Received: num_folds={num_folds}")
    # In 2 folds half of them are left for the inner folds.
    names, wanted = _classes(labels, at_least=max(num_folds, 2 * _INNER_FOLDS))
    (vectors,) = as_vectors(embed, texts)
    right = np.zeros(len(wanted), bool)
    folds, strengths = _folds(wanted, num_folds), []
    for train, test in folds:
        predicted, strength = _fit_and_predict(vectors[train], wanted[train], vectors[test])
        right[test] = predicted == wanted[test]
        strengths.append(strength)
    return _scores(right, [test for _, test in folds], strengths, len(names), num_resamples)


def train_and_test(train_texts, train_labels, test_texts, test_labels, embed=None, num_resamples=1000):
    """Accuracy of logistic regression on test texts.

    The strength of regularisation is chosen by cross-validation of the training texts (5 stratified folds, fixed
    seed).

    Args:
        train_texts: texts, or their vectors (N, D).
        train_labels: their labels, `str` or integers.
        test_texts: others, or their vectors.
        test_labels: their labels, each one also among `train_labels`.
        embed: as for `cross_validate`.
        num_resamples: of the bootstrap.

    Returns:
        A `ClassificationScores` of the test texts.

    Raises:
        ValueError: as `cross_validate`, and for a label that is not among `train_labels`.
        ImportError: as `cross_validate`.
    """
    check_scikit_learn()
    arguments.positive_integer("num_resamples", num_resamples)
    check_counts(train_texts=train_texts, train_labels=train_labels)
    check_counts(test_texts=test_texts, test_labels=test_labels)
    names, wanted = _classes(train_labels, at_least=_INNER_FOLDS)
    test_labels = np.asarray(test_labels)
    unknown = test_labels[~np.isin(test_labels, names)]
    if len(unknown):
        raise ValueError(f"Expected test labels that are among the training labels. Received: {unknown[0]!s}")
    train, test = as_vectors(embed, train_texts, test_texts)
    predicted, strength = _fit_and_predict(train, wanted, test)
    right = names[predicted] == test_labels
    return _scores(right, [np.arange(len(right))], [strength], len(names), num_resamples)


def check_scikit_learn():
    """Raises the `ImportError` that `cross_validate` would, before any time is spent on embedding."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Expected scikit-learn, which classifies texts by their vectors. Install it with: "
            "pip install keras-transformer-layers[evaluation]"
        ) from error


def _classes(labels, at_least):
    """The different labels, sorted, and the number (N,) of the label of each text."""
    names, numbers, counts = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise ValueError(f"Expected at least 2 different labels. Received: {names[0]!s} only")
    if counts.min() < at_least:
        raise ValueError(
            f"Expected at least {at_least} texts of each label. Received: {counts.min()} of {names[counts.argmin()]!s}"
        )
    return names, numbers


def _fit_and_predict(vectors, wanted, test_vectors):
    """The labels of `test_vectors`, and the strength of regularisation that was chosen."""
    # One factor for all, so that the same strengths suit every embedder; directions and relative lengths stay.
    length = np.linalg.norm(vectors, axis=1).mean() or 1
    vectors, test_vectors = vectors / length, test_vectors / length
    right = dict.fromkeys(_STRENGTHS, 0)
    for train, test in _folds(wanted, _INNER_FOLDS):
        for strength in _STRENGTHS:
            predicted = _predict(strength, vectors[train], wanted[train], vectors[test])
            right[strength] += np.sum(predicted == wanted[test])
    strength = max(right, key=right.get)  # of equally good ones the strongest regularisation
    return _predict(strength, vectors, wanted, test_vectors), strength


def _predict(strength, vectors, wanted, test_vectors):
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    # On a busy machine the threads of so small matrix products wait for each other: twenty times slower, when measured.
    with threadpool_limits(1):
        return LogisticRegression(C=strength, max_iter=_MOST_ITERATIONS).fit(vectors, wanted).predict(test_vectors)


def _folds(wanted, count):
    """A list of (training indices, test indices)."""
    from sklearn.model_selection import StratifiedKFold

    return list(StratifiedKFold(count, shuffle=True, random_state=_SEED).split(wanted, wanted))


def _scores(right, tests, strengths, num_labels, num_resamples):
    accuracies = [float(right[test].mean()) for test in tests]
    around = interval(lambda drawn: right[drawn].mean(), len(right), num_resamples)
    return ClassificationScores(
        num_texts=len(right),
        num_labels=num_labels,
        accuracy=Estimate("accuracy", float(np.mean(accuracies)), around),
        fold_accuracies=tuple(accuracies),
        fold_strengths=tuple(strengths),
    )
