"""Keras models with a HubLayer: saved, copied, exported."""

import copy

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.hub import HubLayer
from tests.hub import foreign
from tests.hub.foreign import WORDS, X
from tests.hub.models import exported_outputs, functional, saved_and_loaded


def test_tuned_weights_come_back_without_the_handle(tmp_path):
    foreign.write_scaler(str(tmp_path / "scaler"))
    layer = HubLayer(tmp_path / "scaler", trainable=True)
    model = functional(layer)
    layer.trainable_variables[0].assign([7.0, 8.0])
    model.compile("adam", "mse")
    model.fit(X, X * 0, verbose=0)
    model.save(tmp_path / "model.keras")
    (tmp_path / "scaler").rename(tmp_path / "gone")
    reloaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=False)
    np.testing.assert_array_equal(reloaded(X), model(X))
    assert reloaded.layers[1].trainable and reloaded.layers[1].handle == str(tmp_path / "scaler")
    # Trained on alike, so that the optimizer's state is there too, and saved and exported again.
    (tmp_path / "gone").rename(tmp_path / "scaler")
    for each in (model, reloaded):
        each.fit(X, X, verbose=0)
    np.testing.assert_array_equal(reloaded(X), model(X))
    assert reloaded.layers[1].get_config() == layer.get_config()
    np.testing.assert_array_equal(saved_and_loaded(reloaded, tmp_path)(X), model(X))
    np.testing.assert_array_equal(exported_outputs(reloaded, tmp_path, X), model(X))


def test_safe_mode_refuses(scaler, tmp_path):
    layer = HubLayer(scaler)
    functional(layer).save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="Expected safe_mode=False to load a HubLayer.*Received: safe_mode=True"):
        keras.models.load_model(tmp_path / "model.keras")
    config = layer.get_config()
    np.testing.assert_array_equal(HubLayer.from_config(config)(X), X * [1, 2])  # this process' own
    with pytest.raises(ValueError, match="Expected safe_mode=False to load a HubLayer.*Received: safe_mode=None"):
        HubLayer.from_config({**config, "saved_model": "QUFB"})
    with pytest.raises(ValueError, match="Received: safe_mode=None"):
        HubLayer.from_config({"handle": scaler})


def test_copies_are_independent(scaler):
    layer = HubLayer(scaler, trainable=True)
    model = functional(layer)
    layer.trainable_variables[0].assign([7.0, 8.0])
    cloned = keras.models.clone_model(model)  # as Keras does it: the same architecture, weights as they were at first
    copied = copy.deepcopy(model)
    layer.trainable_variables[0].assign([0.0, 0.0])
    np.testing.assert_array_equal(cloned(X), X * [1, 2])
    np.testing.assert_array_equal(copied(X), X * [7, 8])


@pytest.mark.parametrize("name", ["embedding", "tf1_hub"])
def test_tables_of_an_exported_model_are_filled(request, tmp_path, name):
    layer = HubLayer(request.getfixturevalue(name))
    texts = keras.Input((), dtype="string")
    model = saved_and_loaded(keras.Model(texts, layer(texts)), tmp_path)
    np.testing.assert_array_equal(exported_outputs(model, tmp_path, tf.constant(WORDS)), layer(WORDS))
    np.testing.assert_array_equal(HubLayer(tmp_path / "exported", output_key="output_0")(WORDS), layer(WORDS))
