"""Export a sentence encoder -> load it from the hub -> fine-tune it in a Keras model."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import TextEmbedder
from keras_transformer.hub import HubLayer
from keras_transformer.models import SentenceEncoder
from keras_transformer.text import SubwordTokenizer
from tests import made_data
from tests.integration.processes import run_python

TEXTS = ["red dog", "", "blue house runs", "?!", "漢"]


@pytest.fixture(scope="module")
def embedder():
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 30)
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=7)
    return TextEmbedder(encoder, tokenizer)


@pytest.fixture(scope="module")
def exported(embedder, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "embedder"
    embedder.export(path)
    return path


@pytest.fixture(scope="module")
def saved(embedder, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "embedder.keras"
    embedder.save(path)
    return path


def test_the_hub_loads_it_without_this_package(embedder, exported):
    script = """
import json, sys
import tensorflow as tf, tensorflow_hub as hub, tensorflow_text
texts = json.loads(sys.argv[2])
model = hub.load(sys.argv[1])
called = model(texts)
served = model.signatures["serving_default"](inputs=tf.constant(texts))["outputs"]
tokens = model.signatures["tokens"](inputs=tf.constant(texts))
of_ids = model.signatures["ids"](inputs=tf.constant(json.loads(sys.argv[3])))["outputs"]
v1 = tf.compat.v1
with tf.Graph().as_default(), v1.Session() as session:  # as a server does
    signature = v1.saved_model.load(session, ["serve"], sys.argv[1]).signature_def["serving_default"]
    in_session = session.run(signature.outputs["outputs"].name, {signature.inputs["inputs"].name: texts})
print(json.dumps({
    "called": called.numpy().tolist(),
    "served": served.numpy().tolist(),
    "ids": of_ids.numpy().tolist(),
    "session": in_session.tolist(),
    "vectors of tokens": tokens["outputs"].numpy().tolist(),
    "tokens": [[token.decode() for token in row] for row in tokens["tokens"].numpy().tolist()],
    "token counts": tokens["lengths"].numpy().tolist(),
    "lengths": {k: x.numpy().tolist() for k, x in model.signatures["lengths"](inputs=tf.constant(texts)).items()},
    "training differs": bool(abs(model(texts, training=True) - called).numpy().max() > 1e-4),
    "variables": [len(model.variables), len(model.trainable_variables), len(model.regularization_losses)],
    "empty": model(tf.constant([], tf.string)).shape.as_list(),
    "imported": "keras_transformer" in sys.modules,
}))
"""
    ids = embedder.tokenizer(TEXTS).numpy().tolist()
    found = run_python(script, exported, json.dumps(TEXTS), json.dumps(ids))
    for way in ("called", "served", "ids", "session"):
        np.testing.assert_allclose(found[way], embedder(TEXTS), atol=1e-6, err_msg=way)
    found_tokens = (found[name] for name in ("tokens", "vectors of tokens", "token counts"))
    for (pieces, vectors), *padded, count in zip(embedder.embed_tokens(TEXTS), *found_tokens):
        assert len(pieces) == count and padded[0] == [*pieces, *[""] * (len(padded[0]) - count)]
        found_vectors = np.array(padded[1])
        np.testing.assert_allclose(found_vectors[:count], vectors, atol=1e-5)
        assert not found_vectors[count:].any()
    assert found["lengths"] == {"outputs": found["token counts"], "longest": [embedder.max_length] * len(TEXTS)}
    weights = len(embedder.weights)
    assert found["training differs"] and found["variables"] == [weights, weights, 0]
    assert found["empty"] == [0, 7] and not found["imported"]


@pytest.fixture(scope="module")
def tuned(exported, tmp_path_factory):
    """A Keras model around the export, with changed weights, and the file it is saved in."""
    layer = HubLayer(exported, trainable=True)
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, layer(texts))
    layer.trainable_variables[0].assign(layer.trainable_variables[0] + 0.1)
    path = tmp_path_factory.mktemp("tuned") / "tuned.keras"
    model.save(path)
    return model, path


@pytest.fixture(scope="module")
def reloaded(saved, tuned):
    """What both files give in a fresh process."""
    script = """
import json, sys, keras, keras_transformer, tensorflow as tf
embedder = keras.models.load_model(sys.argv[1])
model = keras.models.load_model(sys.argv[2], safe_mode=False)
texts = json.loads(sys.argv[3])
print(json.dumps([embedder(texts).numpy().tolist(), model(tf.constant(texts)).numpy().tolist()]))
"""
    return run_python(script, saved, tuned[1], json.dumps(TEXTS))


def test_keras_reloads_it(embedder, reloaded):
    np.testing.assert_allclose(reloaded[0], embedder(TEXTS), atol=1e-6)


def test_a_fine_tuned_model_comes_back_in_a_fresh_process(embedder, tuned, reloaded):
    np.testing.assert_allclose(reloaded[1], tuned[0](tf.constant(TEXTS)), atol=1e-6)
    assert np.abs(np.array(reloaded[1]) - embedder(TEXTS)).max() > 1e-3


@pytest.mark.parametrize("trainable", [False, True])
def test_a_keras_model_trains_on_it(embedder, exported, trainable):
    layer = HubLayer(exported, trainable=trainable)
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, keras.layers.Dense(1)(layer(texts)))
    np.testing.assert_allclose(layer(tf.constant(TEXTS)), embedder(TEXTS), atol=1e-6)
    assert len(model.trainable_variables) == 2 + (len(embedder.weights) if trainable else 0)
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    x, y = tf.constant(["red dog", "blue cat"]), np.array([[1.0], [-1.0]])
    before = layer(tf.constant(TEXTS)).numpy()
    losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    # Its training has no condition, of whose gradients TensorFlow would warn.
    graph = tf.function(lambda texts: layer(texts, training=True)).get_concrete_function(x).graph.as_graph_def()
    operations = {node.op for part in (graph, *graph.library.function) for node in getattr(part, "node_def", ())}
    assert ("StatelessIf" in operations or "If" in operations) == (not trainable)
    moved = np.abs(layer(tf.constant(TEXTS)) - before).max()
    assert moved > 1e-3 if trainable else moved == 0
