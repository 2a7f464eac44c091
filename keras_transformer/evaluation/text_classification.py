"""Transfer to classification: logistic regression on the vectors of a frozen embedder, as in SentEval."""

import dataclasses

import numpy as np

from keras_transformer import arguments
from keras_transformer.evaluation.estimate import Estimate, bootstrap_interval
from keras_transformer.evaluation.inputs import Embed, Labels, as_vectors, check_counts
from keras_transformer.types import Texts

# The grid of inverse regularization strengths (scikit-learn's C), for vectors of mean length 1. SentEval's ends at 8,
# which regularizes these too much.
_STRENGTHS = tuple(4.0**power for power in range(-1, 5))
_INNER_FOLDS = 5  # of the training part, to choose the strength
_SEED = 1111  # SentEval's
_MOST_ITERATIONS = 1000


@dataclasses.dataclass(frozen=True)
class ClassificationScores:
    """How well texts are classified by their vectors.

    Attributes:
        num_texts: number of classified texts.
        num_labels: number of distinct labels.
        accuracy: an `Estimate`: the mean over the folds, with the interval of the fraction of correct labels.
        fold_accuracies: the accuracy in each fold; a single one for given test texts.
        fold_strengths: the inverse regularization strength (scikit-learn's C, for vectors of mean length 1) chosen in
            each fold.

    Example:
        >>> from keras_transformer.evaluation import cross_validate
        >>> scores = cross_validate(np.repeat(np.eye(2), 20, axis=0), ["dog"] * 20 + ["cat"] * 20, num_folds=2)
        >>> scores.num_texts, scores.num_labels, scores.fold_accuracies
        (40, 2, (1.0, 1.0))
    """

    num_texts: int
    num_labels: int
    accuracy: Estimate
    fold_accuracies: tuple[float, ...]
    fold_strengths: tuple[float, ...]


def cross_validate(
    texts: Texts,
    labels: Labels,
    embed: Embed | None = None,
    num_folds: int = 10,
    num_resamples: int = 1000,
) -> ClassificationScores:
    """Accuracy of logistic regression by cross-validation.

    Folds are stratified and drawn with a fixed seed. In each, the regularization strength is chosen by cross-validation
    within the training part (5 folds; SentEval uses as many as outside).

    Args:
        texts: N texts, or their vectors (N, D).
        labels: N labels, `str` or integers.
        embed: takes a list of `str`, returns vectors (N, D); required for texts.
        num_folds: number of folds, at least 2.
        num_resamples: number of bootstrap resamples.

    Returns:
        A `ClassificationScores`.

    Raises:
        ValueError: if there are no texts, another number of labels, a single distinct label, or a label with too few
            texts for the folds, or if vectors are not finite.
        ImportError: if scikit-learn is not installed (`pip install keras-transformer-layers[evaluation]`).

    References:
        Conneau and Kiela, 2018, "SentEval: An Evaluation Toolkit for Universal Sentence Representations".
    """
    check_scikit_learn()
    arguments.positive_integer("num_resamples", num_resamples)
    check_counts(texts=texts, labels=labels)
    if arguments.positive_integer("num_folds", num_folds) < 2:
        raise ValueError(f"Expected at least 2 folds. Received: num_folds={num_folds}")
    # With 2 folds, the inner folds have half of the texts.
    names, wanted = _classes(labels, at_least=max(num_folds, 2 * _INNER_FOLDS))
    (vectors,) = as_vectors(embed, texts)
    correct = np.zeros(len(wanted), bool)
    folds, strengths = _folds(wanted, num_folds), []
    for train, test in folds:
        predicted, strength = _fit_and_predict(vectors[train], wanted[train], vectors[test])
        correct[test] = predicted == wanted[test]
        strengths.append(strength)
    return _scores(correct, [test for _, test in folds], strengths, len(names), num_resamples)


def train_and_test(
    train_texts: Texts,
    train_labels: Labels,
    test_texts: Texts,
    test_labels: Labels,
    embed: Embed | None = None,
    num_resamples: int = 1000,
) -> ClassificationScores:
    """Accuracy of logistic regression on test texts.

    The regularization strength is chosen by cross-validation of the training texts (5 stratified folds, fixed seed).

    Args:
        train_texts: training texts, or their vectors (N, D).
        train_labels: their labels, `str` or integers.
        test_texts: test texts, or their vectors.
        test_labels: their labels, all of which occur in `train_labels`.
        embed: as for `cross_validate`.
        num_resamples: number of bootstrap resamples.

    Returns:
        A `ClassificationScores` of the test texts.

    Raises:
        ValueError: as `cross_validate`, and for a test label that is not among `train_labels`.
        ImportError: as `cross_validate`.

    Example:
        >>> from keras_transformer.evaluation import train_and_test
        >>> vectors, labels = np.repeat(np.eye(2), 5, axis=0), ["dog"] * 5 + ["cat"] * 5
        >>> train_and_test(vectors, labels, [[1, 0.1], [0.9, 0]], ["dog", "cat"]).accuracy.value
        0.5
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
    correct = names[predicted] == test_labels
    return _scores(correct, [np.arange(len(correct))], [strength], len(names), num_resamples)


def check_scikit_learn() -> None:
    """Raises the `ImportError` that `cross_validate` would, before any time is spent on embedding."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Expected scikit-learn, which classifies texts by their vectors. Install it with: "
            "pip install keras-transformer-layers[evaluation]"
        ) from error


def _classes(labels, at_least):
    """The distinct labels, sorted, and the number of each text's label (N,)."""
    names, numbers, counts = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise ValueError(f"Expected at least 2 different labels. Received: {names[0]!s} only")
    if counts.min() < at_least:
        raise ValueError(
            f"Expected at least {at_least} texts of each label. Received: {counts.min()} of {names[counts.argmin()]!s}"
        )
    return names, numbers


def _fit_and_predict(vectors, wanted, test_vectors):
    """The labels of `test_vectors`, and the regularization strength that was chosen."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    # One factor for all vectors, so that the same grid suits every embedder; directions and relative lengths stay.
    length = np.linalg.norm(vectors, axis=1).mean() or 1
    vectors, test_vectors = vectors / length, test_vectors / length

    def predict(strength, train, tested):
        classifier = LogisticRegression(C=strength, max_iter=_MOST_ITERATIONS)
        return classifier.fit(vectors[train], wanted[train]).predict(tested)

    # On a busy machine the threads of such small matrix products wait for each other: measured, 20 times slower.
    with threadpool_limits(1):
        correct = dict.fromkeys(_STRENGTHS, 0)
        for train, test in _folds(wanted, _INNER_FOLDS):
            for strength in _STRENGTHS:
                correct[strength] += np.sum(predict(strength, train, vectors[test]) == wanted[test])
        strength = max(correct, key=correct.get)  # of equally good ones, the strongest regularization
        return predict(strength, slice(None), test_vectors), strength


def _folds(wanted, count):
    """A list of (training indices, test indices)."""
    from sklearn.model_selection import StratifiedKFold

    return list(StratifiedKFold(count, shuffle=True, random_state=_SEED).split(wanted, wanted))


def _scores(correct, tests, strengths, num_labels, num_resamples):
    accuracies = [float(correct[test].mean()) for test in tests]
    interval = bootstrap_interval(lambda drawn: correct[drawn].mean(), len(correct), num_resamples)
    return ClassificationScores(
        num_texts=len(correct),
        num_labels=num_labels,
        accuracy=Estimate("accuracy", float(np.mean(accuracies)), interval),
        fold_accuracies=tuple(accuracies),
        fold_strengths=tuple(strengths),
    )
