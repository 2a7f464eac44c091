"""Other people's SavedModels in Keras models: fine-tuned, saved, loaded in a fresh process, exported from there."""

import json
import shutil
import tarfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.hub import HubLayer
from tests.hub import foreign
from tests.integration.processes import run_python

TEXTS = tf.constant(foreign.WORDS)
NUMBERS = np.random.default_rng(3).normal(size=(4, 3)).astype("float32")
PAIRS = {"a": NUMBERS, "b": NUMBERS[:, :2]}

# For each model: what it gives, and what its export gives.
SCRIPT = """
import json, sys
import keras
import tensorflow as tf
import keras_transformer
inputs = {"strings": tf.constant(["cat", "dog", "cow"]), "numbers": tf.constant(json.loads(sys.argv[2]))}
inputs["pairs"] = {"a": inputs["numbers"], "b": inputs["numbers"][:, :2]}
found = {}
for name, kind in json.loads(sys.argv[3]).items():
    model = keras.models.load_model(f"{sys.argv[1]}/{name}.keras", safe_mode=False)
    model.export(f"{sys.argv[1]}/{name}", verbose=False)
    exported = tf.saved_model.load(f"{sys.argv[1]}/{name}")
    found[name] = [model(inputs[kind]).numpy().tolist(), exported.serve(inputs[kind]).numpy().tolist()]
print(json.dumps([found, "tensorflow_hub" in sys.modules]))
"""


def head(inputs, layer):
    model = keras.Model(inputs, keras.layers.Dense(1)(layer(inputs)))
    model.compile(keras.optimizers.Adam(0.1), "mse")
    return model


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """{name: (kind of inputs, what they give, which weights moved)}; of the models only the .keras files are left."""
    folder = tmp_path_factory.mktemp("models")
    source = folder / "source"
    source.mkdir()
    foreign.write_embedding(str(source / "embedding"))
    foreign.write_tf_keras(str(source / "tf_keras"))
    foreign.write_keras_export(str(source / "keras_export"))
    foreign.write_tf1(str(source / "tf1_hub"), hub_format=True)
    archive = str(source / "embedding.tar.gz")
    with tarfile.open(archive, "w:gz") as file:
        file.add(source / "embedding", ".")

    string, numbers = keras.Input((), dtype="string"), keras.Input((3,))
    pairs = {"a": keras.Input((3,), name="a"), "b": keras.Input((2,), name="b")}
    column = keras.layers.Reshape((1,))
    made = {
        "from_archive": ("strings", head(string, HubLayer(archive, trainable=True)), TEXTS),
        "tf_keras": ("numbers", head(numbers, HubLayer(source / "tf_keras", trainable=True)), NUMBERS),
        "keras_export": ("pairs", head(pairs, HubLayer(source / "keras_export", output_key="twice")), PAIRS),
        "tf1_hub": ("strings", head(string, lambda x: column(HubLayer(source / "tf1_hub")(x))), TEXTS),
    }
    found = {}
    for name, (kind, model, x) in made.items():
        layer = next(layer for layer in model.layers if isinstance(layer, HubLayer))
        before = [weight.numpy() for weight in layer.weights]
        model.fit(x, np.ones((len(tf.nest.flatten(x)[0]), 1)), epochs=2, verbose=0)
        moved = [bool(np.any(weight.numpy() != old)) for weight, old in zip(layer.weights, before)]
        found[name] = kind, model(x).numpy(), moved
        model.save(folder / f"{name}.keras")
    shutil.rmtree(source)
    return folder, found


def test_only_what_is_reusable_was_trained(models):
    moved = {name: moved for name, (_, _, moved) in models[1].items()}
    assert moved == {
        "from_archive": [True], "tf_keras": [True] * 6, "keras_export": [False] * 2, "tf1_hub": [False],
    }  # fmt: skip


def test_a_fresh_process_needs_the_keras_file_alone(models):
    folder, expected = models
    kinds = {name: kind for name, (kind, _, _) in expected.items()}
    found, hub_was_imported = run_python(SCRIPT, folder, json.dumps(NUMBERS.tolist()), json.dumps(kinds))
    assert not hub_was_imported and set(found) == set(expected)
    for name, (_, outputs, _) in expected.items():
        np.testing.assert_allclose(found[name][0], outputs, rtol=1e-5, atol=1e-6, err_msg=name)
        np.testing.assert_allclose(found[name][1], outputs, rtol=1e-5, atol=1e-6, err_msg=name)
