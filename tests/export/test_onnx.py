import builtins

import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.export import onnx_model
from keras_transformer.export.onnx import check_installed


def concrete(function, *signature):
    return tf.function(function, input_signature=signature).get_concrete_function()


def run(model, **inputs):
    runtime = pytest.importorskip("onnxruntime")
    return runtime.InferenceSession(model).run(None, inputs)[0]


def test_variables_are_refused():
    variable = tf.Variable(1.0)
    function = concrete(lambda x: {"y": x * variable}, tf.TensorSpec([1], tf.float32, name="x"))
    with pytest.raises(ValueError, match="Expected a function without variables. Received one with 1"):
        onnx_model(function)


def test_says_what_is_to_be_installed(monkeypatch):
    find = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("tf2onnx"):
            raise ModuleNotFoundError(name)
        return find(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"Expected tf2onnx: pip install 'keras-transformer-layers\[onnx\]'"):
        check_installed()


def test_an_operation_that_it_lacks_is_refused():
    pytest.importorskip("tf2onnx")
    function = concrete(lambda x: {"y": tf.math.lgamma(x)}, tf.TensorSpec([None], tf.float32, name="x"))
    with pytest.raises(ValueError, match="Expected operations that ONNX has. Received others: Lgamma"):
        onnx_model(function)


def test_heads_of_any_batch_and_length():
    """A reshape of a reshape, as of a projection whose heads are split."""
    pytest.importorskip("tf2onnx")
    kernel = np.random.default_rng(0).normal(size=(6, 6)).astype("float32")

    def heads(x):
        batch, length = tf.unstack(tf.shape(x)[:2])
        projected = tf.reshape(tf.matmul(tf.reshape(x, [-1, 6]), kernel), [batch, length, 6])
        shape = tf.shape(projected)
        return {"y": tf.transpose(tf.reshape(projected, [shape[0], shape[1], 3, 2]), [0, 2, 1, 3])}

    model = onnx_model(concrete(heads, tf.TensorSpec([None, None, 6], tf.float32, name="x")))
    for shape in ((2, 5, 6), (1, 1, 6), (7, 3, 6)):
        x = np.random.default_rng(1).normal(size=shape).astype("float32")
        np.testing.assert_allclose(run(model, x=x), heads(tf.constant(x))["y"], atol=1e-5)


def test_operations_are_those_of_tensorflow():
    """The exact GELU; choices where the other value is NaN; remainders and bits of negative numbers."""
    pytest.importorskip("tf2onnx")
    x = np.array([-3.0, -0.5, 0.0, 0.1, 4.0], "float32")
    signature = tf.TensorSpec([None], tf.float32, name="x")
    cases = {
        "erfc": lambda x: tf.math.erfc(x),
        "where": lambda x: tf.where(x > 0, x, float("nan")),
        "booleans": lambda x: tf.cast(tf.where(x > 0, x > 1, x < -1), tf.float32),
        "mod": lambda x: tf.cast(tf.math.floormod(tf.cast(10 * x, tf.int32), 7), tf.float32),
        "xor": lambda x: tf.cast(tf.bitwise.bitwise_xor(tf.cast(10 * x, tf.int32), 12345), tf.float32),
    }
    for name, function in cases.items():
        found = run(onnx_model(concrete(lambda x, function=function: {"y": function(x)}, signature)), x=x)
        np.testing.assert_allclose(found, function(tf.constant(x)), atol=1e-6, err_msg=name)
