import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.hub import HubLayer, build_for_fit
from keras_transformer.training import TrainingLoop
from tests.integration.processes import run_python

# The trainings below, on two devices.
SCRIPT = """
import json, sys
import keras
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
root, handle, scaler, folder = sys.argv[1:]
sys.path.insert(0, root)
from tests.hub.test_build_for_fit import fitted, looped, scaled
found = {"fit": fitted(handle, strategy, folder), "loop": looped(handle, strategy), "scaled": scaled(scaler, strategy)}
print(json.dumps(found))
"""
TEXTS = ["dog", "cat", "cow", "dog", "cat", "cat", "dog", "cow"]
CLASSES, NUMBERS = np.array([[0], [1], [2], [0], [1], [1], [0], [1]]), np.arange(8.0)[:, None]


def layers_of(handle):
    texts = keras.Input((), dtype="string")
    layer = HubLayer(handle, trainable=True)
    vectors = layer(texts)
    of_class = keras.layers.Dense(3, activation="softmax", kernel_initializer="ones", name="of_class")(vectors)
    number = keras.layers.Dense(1, kernel_initializer="ones", name="number")(vectors)
    return layer, texts, {"of_class": of_class, "number": number}


def fitted(handle, strategy, folder):
    """Losses, weights and outputs of `fit`, with several outputs and a metric that looks at the targets' shapes."""
    with strategy.scope():
        layer, texts, outputs = layers_of(handle)
    model = keras.Model(texts, outputs)
    x, y = tf.constant(TEXTS), {"of_class": CLASSES, "number": NUMBERS}
    with strategy.scope():
        model.compile(
            keras.optimizers.SGD(0.01),
            {"of_class": "sparse_categorical_crossentropy", "number": "mse"},
            metrics={"of_class": ["accuracy"]},
        )
        if strategy.num_replicas_in_sync > 1:
            build_for_fit(model, x[:1], {name: values[:1] for name, values in y.items()})
        history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
        within = layer(TEXTS[:2]).numpy()
    np.testing.assert_array_equal(within, layer(TEXTS[:2]))
    model.save(f"{folder}/{strategy.num_replicas_in_sync}.keras")
    return [history, layer.variables[0].numpy().tolist(), model(x)["number"].numpy().tolist()]


def looped(handle, strategy):
    """The weights after steps of `TrainingLoop`, of a model that is made within the scope as a whole."""
    with strategy.scope():
        layer, texts, outputs = layers_of(handle)
        model = keras.Model(texts, outputs["number"])
        model.compile(keras.optimizers.SGD(0.01), keras.losses.MeanSquaredError())
    batches = tf.data.Dataset.from_tensor_slices((TEXTS, NUMBERS.astype("float32"))).batch(4)
    losses = [loss for loss, _ in TrainingLoop(model, strategy).steps(batches)]
    return [losses, layer.variables[0].numpy().tolist()]


def scaled(handle, strategy):
    """The weights after `fit` of numbers, of a model that is made within the scope as a whole."""
    with strategy.scope():
        layer = HubLayer(handle, trainable=True)
        model = keras.Sequential([keras.Input((2,)), layer])
        model.compile(keras.optimizers.SGD(0.01), "mse", metrics=["mae"])
    x = np.arange(16.0).reshape(8, 2)
    history = model.fit(x, -x, batch_size=4, shuffle=False, verbose=0).history
    return [history, layer.trainable_variables[0].numpy().tolist()]


def assert_close(one, other):
    for a, b in zip(tf.nest.flatten(one), tf.nest.flatten(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_two_devices_equal_one(embedding, scaler, tmp_path):
    found = run_python(SCRIPT, pathlib.Path(__file__).parents[2], embedding, scaler, tmp_path)
    strategy = tf.distribute.get_strategy()
    expected = {
        "fit": fitted(embedding, strategy, tmp_path),
        "loop": looped(embedding, strategy),
        "scaled": scaled(scaler, strategy),
    }
    assert_close(found, json.loads(json.dumps(expected)))
    assert set(found["fit"][0]) >= {"loss", "number_loss", "of_class_accuracy"}
    assert np.abs(np.array(found["fit"][1]) - [[1, 2], [3, 4], [5, 6]]).min() > 1e-3
    model = keras.models.load_model(tmp_path / "2.keras", safe_mode=False)
    np.testing.assert_allclose(model(tf.constant(TEXTS))["number"], found["fit"][2], rtol=1e-6)


def test_where_it_is_called(embedding):
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        _, texts, outputs = layers_of(embedding)
        within = keras.Model(texts, outputs)
    model = keras.Model(texts, outputs)
    with pytest.raises(ValueError, match=r"Expected a call within strategy.scope\(\). Received: no strategy"):
        build_for_fit(model, TEXTS, CLASSES)
    with strategy.scope():
        with pytest.raises(ValueError, match=r"Expected a keras.Model made outside of strategy.scope\(\)"):
            build_for_fit(within, TEXTS, CLASSES)
        with pytest.raises(ValueError, match="Expected a compiled model. Received: .*, which is not compiled"):
            build_for_fit(model, TEXTS, CLASSES)
