import keras
import numpy as np
import pytest

from keras_transformer.training import TeacherVectors

random = np.random.RandomState(0)
U, V = random.normal(size=(2, 5, 4)).astype("float32")


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def value(tensor):
    return float(keras.ops.convert_to_numpy(tensor))


def test_teacher_of_the_same_width_has_no_projection():
    objective = TeacherVectors()
    expected = np.mean(1 - (unit(U) * unit(V)).sum(axis=1))
    np.testing.assert_allclose(value(objective([U], V)), expected, rtol=1e-5)
    assert objective.weights == []


def test_teacher_of_another_width():
    objective = TeacherVectors()
    wanted = random.normal(size=(5, 6)).astype("float32")
    found = objective([U], wanted)
    projected = unit(U @ objective.weights[0].numpy())
    np.testing.assert_allclose(value(found), np.mean(1 - (projected * unit(wanted)).sum(axis=1)), rtol=1e-5)


def test_cosines_between_texts_are_those_of_the_teacher_in_prefixes_too():
    wanted = 3 * random.normal(size=(5, 6)).astype("float32")
    objective = TeacherVectors(similarities=2.0, prefixes=(3, 1))
    found = value(objective([U], wanted))
    alone = TeacherVectors()
    alone.build([(5, 4)], (5, 6))
    alone.projection.kernel.assign(objective.projection.kernel)
    of_teacher = unit(wanted) @ unit(wanted).T
    differences = [np.mean((unit(U[:, :width]) @ unit(U[:, :width]).T - of_teacher) ** 2) for width in (4, 3, 1)]
    np.testing.assert_allclose(found, value(alone([U], wanted)) + 2.0 * np.mean(differences), rtol=1e-5)


def test_configs():
    objective = TeacherVectors(similarities=0.5, prefixes=(2, 3))
    copy = TeacherVectors.from_config(objective.get_config())
    assert copy.get_config() == objective.get_config()
    assert (copy.similarities, copy.prefixes) == (0.5, (2, 3))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"similarities": -1}, "similarities=-1"),
        ({"prefixes": (2,)}, r"similarities above 0 with prefixes. Received: prefixes=\(2,\)"),
        ({"similarities": 1, "prefixes": (0,)}, "prefixes=0"),
    ],
)
def test_bad_values(arguments, message):
    with pytest.raises(ValueError, match=message):
        TeacherVectors(**arguments)


def test_prefixes_longer_than_the_vectors():
    with pytest.raises(ValueError, match="at most 4 numbers. Received: prefixes="):
        TeacherVectors(similarities=1.0, prefixes=(8,))([U], V)
