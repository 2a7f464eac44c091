import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.quantization import int8_matmul
from tests.quantization.graphs import X


def graph_of(function, x):
    signature = [tf.TensorSpec([None, *x.shape[1:]], x.dtype)]
    return tf.function(function, input_signature=signature).get_concrete_function()


@pytest.mark.parametrize("transposed", [False, True])
def test_dynamic_by_hand(transposed):
    kernel = np.random.default_rng(1).integers(-64, 65, (19, 5)).astype("int8")
    scale = np.array([1, 10, 100, 0.1, 7], "float32")
    matrix = kernel.T if transposed else kernel
    function = graph_of(lambda x: int8_matmul.dynamic_matmul(x, tf.constant(matrix), scale, transposed), X)
    integers = np.round(X * 127 / np.abs(X).max(-1, keepdims=True)).astype("int64")
    wanted = integers @ kernel.astype("int64") * np.abs(X).max(-1, keepdims=True) / 127 / scale
    np.testing.assert_allclose(function(tf.constant(X)), wanted, rtol=1e-4)
    assert function(tf.zeros((0, 19))).shape == (0, 5)
    np.testing.assert_array_equal(function(tf.zeros((2, 19))), np.zeros((2, 5)))


ACTIVATIONS = {
    None: lambda x: x,
    keras.activations.relu: lambda x: np.maximum(x, 0),
    keras.activations.gelu: lambda x: 0.5 * x * (1 + np.vectorize(math.erf)(x / 2**0.5)),
}


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_static_by_hand(activation, with_bias):
    random = np.random.default_rng(3)
    x = random.normal(size=(2, 5, 19)).astype("float32")
    kernel = random.integers(-64, 65, (19, 3)).astype("int8")
    scale, bias = np.array([20, 40, 60], "float32"), np.array([1, -2, 3], "float32") if with_bias else None
    function = graph_of(lambda x: int8_matmul.static_matmul(x, 1.5, tf.constant(kernel), scale, bias, activation), x)
    assert np.abs(x).max() > 1.5  # some is clipped
    integers = np.clip(np.round(x * 127 / 1.5), -127, 127)
    wanted = integers @ kernel.astype("int64") * 1.5 / 127 / scale + (bias if with_bias else 0)
    np.testing.assert_allclose(function(tf.constant(x)), ACTIVATIONS[activation](wanted), rtol=1e-4, atol=1e-4)


def test_activations():
    assert all(map(int8_matmul.has_activation, [*ACTIVATIONS, keras.activations.linear]))
    assert not int8_matmul.has_activation(keras.activations.tanh)


def test_the_largest_integers_are_exact_on_any_processor():
    """Sums of two products of 8 bits, as processors without VNNI make them, have 16."""
    kernel = np.where(np.arange(200)[:, None] % 7 > 2, -64, 64).astype("int8")
    x = np.where(np.arange(200) % 5 > 1, 127, -127).astype("float32")[None]
    function = graph_of(lambda x: int8_matmul.dynamic_matmul(x, tf.constant(kernel), np.ones(1, "f")), x)
    np.testing.assert_allclose(function(tf.constant(x)), x @ kernel.astype("f"), rtol=1e-6)
    np.testing.assert_allclose(function(tf.constant(-x)), -x @ kernel.astype("f"), rtol=1e-6)
    np.testing.assert_allclose(function(tf.ones_like(x)), kernel.astype("f").sum(keepdims=True).T, rtol=1e-6)
