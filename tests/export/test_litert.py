import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.export import litert_model
from tests.litert import interpreter

X = np.random.default_rng(0).normal(size=(1, 64)).astype("float32")
KERNEL = np.random.default_rng(1).normal(size=(64, 64)).astype("float32")


def function():
    signature = [tf.TensorSpec([1, 64], tf.float32, name="x")]
    return tf.function(lambda x: {"y": tf.matmul(x, KERNEL)}, input_signature=signature).get_concrete_function()


def run(model, x):
    return interpreter(model).get_signature_runner()(x=x)["y"]


def test_float32_is_exact_and_others_are_smaller():
    sizes = {}
    for dtype, atol in (("float32", 1e-5), ("float16", 2e-2), ("int8", 0.5)):
        model = litert_model(function(), dtype)
        np.testing.assert_allclose(run(model, X), X @ KERNEL, atol=atol)
        sizes[dtype] = len(model)
    assert sizes["float32"] - sizes["float16"] > 0.4 * KERNEL.nbytes
    assert sizes["float32"] - sizes["int8"] > 0.6 * KERNEL.nbytes


def test_variables_and_unknown_operations_are_refused():
    variable = tf.Variable(1.0)
    signature = [tf.TensorSpec([1], tf.float32, name="x")]
    concrete = tf.function(lambda x: {"y": x * variable}, input_signature=signature).get_concrete_function()
    with pytest.raises(ValueError, match="Expected a function without variables. Received one with 1"):
        litert_model(concrete)
    concrete = tf.function(
        lambda x: {"y": tf.math.special.bessel_j0(x)}, input_signature=signature
    ).get_concrete_function()
    with pytest.raises(ValueError, match="Expected operations that LiteRT has. Received others: "):
        litert_model(concrete)
    with pytest.raises(ValueError, match="Expected one of .*Received: dtype='bfloat16'"):
        litert_model(concrete, "bfloat16")
