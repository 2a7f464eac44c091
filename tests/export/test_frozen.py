import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.export import frozen_weights, write_saved_model

SPEC = [tf.TensorSpec([None, 300])]


def test_functions_keep_the_values_of_the_trace_and_share_them(tmp_path):
    dense = keras.layers.Dense(300, use_bias=False)
    dense.build((None, 300))
    x, kernel = np.random.normal(size=(2, 300)).astype("float32"), dense.kernel.numpy()
    with frozen_weights(dense.variables):
        functions = [
            tf.function(function, input_signature=SPEC).get_concrete_function()
            for function in (lambda x: {"y": dense(x)}, lambda x: {"y": dense(dense(x))})
        ]
    dense.kernel.assign(kernel + 1.0)
    assert all(not function.variables for function in functions)
    write_saved_model(tmp_path / "1", {}, dict(zip(("once", "twice"), functions)))
    assert kernel.nbytes < (tmp_path / "1" / "saved_model.pb").stat().st_size < 1.2 * kernel.nbytes
    loaded = tf.saved_model.load(tmp_path / "1").signatures
    np.testing.assert_allclose(loaded["once"](tf.constant(x))["y"], x @ kernel, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(loaded["twice"](tf.constant(x))["y"], x @ kernel @ kernel, rtol=1e-3, atol=1e-2)


def test_what_no_graph_can_hold_is_refused(monkeypatch):
    monkeypatch.setattr("keras_transformer.export.frozen._LARGEST", 99)
    assert frozen_weights([keras.Variable(np.zeros(24, "float32"))])
    with pytest.raises(ValueError, match="less than 2 GiB of weights to freeze. Received: 100 bytes"):
        frozen_weights([keras.Variable(np.zeros(25, "float32"))])
