"""What a HubLayer returns: dictionaries, and shapes that the SavedModel does not tell."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.hub import HubLayer
from tests.hub.foreign import A, B, X, save_root


def test_a_dictionary_of_one_output(tmp_path):
    """Before a Dense it would be `KeyError: -1`, so that a warning says what to do."""
    spec = tf.TensorSpec([None, 2])
    path = save_root(tmp_path / "root", lambda x: {"sum": tf.reduce_sum(x, axis=1, keepdims=True)}, spec)
    with pytest.warns(
        UserWarning, match="root gives a dictionary of one output. For a .*pass output_key='sum'"
    ) as said:
        layer = HubLayer(path)
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = HubLayer.from_config(layer.get_config())
        chosen = HubLayer(path, output_key="sum")
    np.testing.assert_array_equal(again(X)["sum"], [[2], [7]])
    np.testing.assert_array_equal(keras.layers.Dense(1, kernel_initializer="ones")(chosen(X)), [[2], [7]])


def test_losses_by_the_names_of_a_dictionary_of_outputs(keras_export):
    inputs = {"a": keras.Input((3,), name="a"), "b": keras.Input((2,), name="b")}
    model = keras.Model(inputs, HubLayer(keras_export[0])(inputs))
    model.compile("sgd", {"once": "mse", "twice": "mae"})
    x = {"a": A, "b": B}
    found = model.predict(x, verbose=0)
    losses = model.evaluate(x, {"once": found["once"] - 2, "twice": found["twice"] + 3}, verbose=0, return_dict=True)
    assert losses == pytest.approx({"loss": 7, "once_loss": 4, "twice_loss": 3}, rel=1e-5)


def test_a_shape_that_the_saved_model_does_not_tell(tmp_path):
    def call(x):
        return tf.reshape(x, tf.cast(tf.constant([2.0, 2.0]) * (1 + 0 * x[0, 0]), tf.int32))

    path = save_root(tmp_path / "root", call, tf.TensorSpec([None, 2]))
    layer = HubLayer(path, output_shape=[2])
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="ones")(layer(inputs)))
    np.testing.assert_array_equal(model(X), [[2], [7]])
    np.testing.assert_array_equal(HubLayer.from_config(layer.get_config())(X), X)
    with pytest.raises(ValueError, match=r"Expected outputs of .* of shape \(None, 3\). Received: \(2, 2\)"):
        HubLayer(path, output_shape=[3])(X)
