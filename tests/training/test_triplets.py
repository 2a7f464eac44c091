import numpy as np
import pytest

from keras_transformer.training import ClassTriplets, TripletMargin
from tests.training.objective_values import check, unit, value, vectors

LABELS = np.asarray([0, 1, 0, 2, 1, 0, 3])


def distances(x, kind):
    if kind == "cosine":
        return 1 - unit(x) @ unit(x).T
    return np.linalg.norm(x[:, None] - x[None, :], axis=-1)


@pytest.mark.parametrize("kind", ["cosine", "euclidean"])
def test_triplets_of_rows(kind):
    def distance(u, v):
        return 1 - (unit(u) * unit(v)).sum(axis=1) if kind == "cosine" else np.linalg.norm(u - v, axis=1)

    def formula(a, p, n):
        return np.mean(np.maximum(0, distance(a, p) - distance(a, n) + 0.7))

    check(TripletMargin(0.7, kind), formula, vectors(3, seed=2), np.zeros(5))


def triplets():
    """(anchor, positive, negatives) of the labels."""
    for a in range(7):
        for p in range(7):
            if a != p and LABELS[a] == LABELS[p]:
                yield a, p, np.flatnonzero(LABELS[a] != LABELS)


@pytest.mark.parametrize("kind", ["cosine", "euclidean"])
def test_all_triplets_of_a_batch(kind):
    def formula(x):
        d = distances(x, kind)
        losses = [max(0, d[a, p] - d[a, n] + 0.2) for a, p, negatives in triplets() for n in negatives]
        return np.mean([loss for loss in losses if loss > 0])

    check(ClassTriplets("all", 0.2, kind), formula, vectors(1, rows=7), LABELS)


@pytest.mark.parametrize("kind", ["cosine", "euclidean"])
@pytest.mark.parametrize("margin", [0.4, None])
def test_hard_triplets(kind, margin):
    def formula(x):
        d = distances(x, kind)
        losses = []
        for a in (0, 1, 2, 4, 5):  # the others have no positive
            of_anchor = [(d[a, p], d[a, negatives].min()) for b, p, negatives in triplets() if b == a]
            difference = max(p for p, _ in of_anchor) - of_anchor[0][1]
            losses.append(np.log1p(np.exp(difference)) if margin is None else max(0, difference + margin))
        return np.mean(losses)

    check(ClassTriplets("hard", margin, kind), formula, vectors(1, rows=7), LABELS)


@pytest.mark.parametrize("kind", ["cosine", "euclidean"])
def test_semi_hard_triplets(kind):
    def formula(x):
        d = distances(x, kind)
        losses = []
        for a, p, negatives in triplets():
            further = d[a, negatives][d[a, negatives] > d[a, p]]
            negative = further.min() if len(further) else d[a, negatives].max()
            losses.append(max(0, d[a, p] - negative + 0.4))
        return np.mean(losses)

    check(ClassTriplets("semi_hard", 0.4, kind), formula, vectors(1, rows=7), LABELS)


@pytest.mark.parametrize("mining", ["all", "hard", "semi_hard"])
@pytest.mark.parametrize("labels", [np.zeros(5, int), np.arange(5)])
def test_batches_without_a_triplet(mining, labels):
    assert value(ClassTriplets(mining)(vectors(1), labels)) == 0.0


@pytest.mark.parametrize("mining", ["all", "hard", "semi_hard"])
def test_gradients_are_finite_where_texts_are_equal(mining):
    import tensorflow as tf

    x = tf.Variable(vectors(1, rows=7)[0].astype("float32")[[0, 1, 0, 0, 4, 5, 6]])
    with tf.GradientTape() as tape:
        loss = ClassTriplets(mining, distance="euclidean")([x], LABELS)
    assert np.isfinite(tape.gradient(loss, x).numpy()).all()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: ClassTriplets("soft"), "mining='soft'"),
        (lambda: ClassTriplets("all", None), "a margin with mining='all'"),
        (lambda: ClassTriplets(margin=-1), "margin=-1"),
        (lambda: TripletMargin(distance="dot"), "distance='dot'"),
        (lambda: TripletMargin(0), "margin=0"),
    ],
)
def test_bad_values(make, message):
    with pytest.raises(ValueError, match=message):
        make()
