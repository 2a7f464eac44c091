"""Keras models around a `HubLayer`, saved and exported."""

import keras
import tensorflow as tf


def functional(layer):
    inputs = keras.Input((2,))
    return keras.Model(inputs, layer(inputs))


def saved_and_loaded(model, tmp_path):
    model.save(tmp_path / "model.keras")
    return keras.models.load_model(tmp_path / "model.keras", safe_mode=False)


def exported_outputs(model, tmp_path, inputs):
    model.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    return exported.serve(inputs)
