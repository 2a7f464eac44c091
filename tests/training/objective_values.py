"""An objective beside its formula in NumPy and float64: its value, and its gradients by central differences."""

import keras
import numpy as np
import tensorflow as tf


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def vectors(count, rows=5, width=6, seed=0):
    return list(np.random.RandomState(seed).normal(size=(count, rows, width)))


def check(objective, formula, vectors, targets, rtol=1e-4):
    """That the objective's value and gradients are those of `formula`, a function of the vectors."""
    found = [tf.constant(vector, tf.float32) for vector in vectors]
    with tf.GradientTape() as tape:
        tape.watch(found)
        loss = objective(found, targets)
    assert loss.dtype == tf.float32 and loss.shape == ()
    np.testing.assert_allclose(float(loss), formula(*vectors), rtol=1e-5, atol=1e-6)
    gradients = [np.zeros_like(vectors[0]) if g is None else g.numpy() for g in tape.gradient(loss, found)]
    wanted = differences(formula, vectors)
    np.testing.assert_allclose(gradients, wanted, rtol=rtol, atol=rtol * np.abs(wanted).max())
    copy = type(objective).from_config(objective.get_config())
    np.testing.assert_allclose(float(copy(found, targets)), float(loss), rtol=1e-6)


def differences(formula, vectors, step=1e-6):
    """The gradients of a function of float64 arrays."""
    gradients = np.zeros_like(vectors)
    for place in np.ndindex(gradients.shape):
        values = []
        for sign in (1, -1):
            moved = np.array(vectors)
            moved[place] += sign * step
            values.append(formula(*moved))
        gradients[place] = (values[0] - values[1]) / (2 * step)
    return gradients


def value(tensor):
    return float(keras.ops.convert_to_numpy(tensor))
