import keras
import numpy as np
import pytest

from keras_transformer.training import CoSENT, Matryoshka, NaturalLanguageInference, ResponseRanking, TeacherVectors
from tests.training.objective_values import check, unit, value, vectors

SCORES = np.asarray([0.1, 0.9, 0.4, 0.4, 0.7])


def of_pairs(u, v):
    alike = 20 * (unit(u) * unit(v)).sum(axis=1)
    pairs = [np.exp(alike[i] - alike[j]) for i in range(5) for j in range(5) if SCORES[i] < SCORES[j]]
    return np.log(1 + np.sum(pairs))


def test_the_sum_over_widths():
    def formula(u, v):
        return of_pairs(u, v) + 0.5 * of_pairs(u[:, :4], v[:, :4]) + 2 * of_pairs(u[:, :3], v[:, :3])

    check(Matryoshka(CoSENT(), [4, 3], [0.5, 2.0]), formula, vectors(2), SCORES)


def test_each_width_has_networks_of_its_own():
    texts = vectors(2)
    labels = np.asarray([0, 2, 1, 1, 0])
    objective = Matryoshka(NaturalLanguageInference(3, hidden_dim=7), [2])
    found = value(objective(texts, labels))
    assert [tuple(weight.shape) for weight in objective.trainable_variables if "kernel" in weight.path] == [
        (24, 7), (7, 3), (8, 7), (7, 3)
    ]  # fmt: skip
    parts = [objective.objective(texts, labels), objective.copies[0]([unit(x[:, :2]) for x in texts], labels)]
    np.testing.assert_allclose(found, sum(map(value, parts)), rtol=1e-6)


def test_of_a_teacher_s_vectors():
    wanted = np.random.RandomState(1).normal(size=(5, 6))
    (found,) = vectors(1)
    objective = Matryoshka(TeacherVectors(), [3])
    loss = value(objective([found], wanted))
    projected = unit(found[:, :3]) @ objective.copies[0].projection.kernel.numpy()
    expected = sum(np.mean(1 - (unit(x) * unit(wanted)).sum(axis=1)) for x in (found, projected))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_configs():
    objective = Matryoshka(ResponseRanking(3.0, response_network=8), (3, 2), [1.0, 0.5])
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(objective))
    assert copy.get_config() == objective.get_config()
    assert (copy.objective.scale, copy.widths, copy.width_weights) == (3.0, [3, 2], [1.0, 0.5])


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Matryoshka(CoSENT(), []), r"at least one. Received: widths=\[\]"),
        (lambda: Matryoshka(CoSENT(), [2, 2]), r"different widths"),
        (lambda: Matryoshka(CoSENT(), [0]), "widths=0"),
        (lambda: Matryoshka(CoSENT(), [2], [1, 1]), "Expected 1 weights"),
        (lambda: Matryoshka(CoSENT(), [2], [0]), "weights=0"),
        (
            lambda: Matryoshka(CoSENT(), [6])(vectors(2), SCORES),
            r"below 6, that of the vectors",
        ),
    ],
)
def test_bad_values(make, message):
    with pytest.raises(ValueError, match=message):
        make()
