"""HubLayer on SavedModels that this package did not write; its own are in tests/integration."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.hub import HubLayer
from tests.hub import foreign
from tests.hub.foreign import WORDS, A, B, X
from tests.hub.models import functional, saved_and_loaded

# Frozen and trained.


def test_frozen_by_default(scaler):
    layer = HubLayer(scaler)
    model = functional(layer)
    np.testing.assert_array_equal(model(X), X * [1, 2])
    np.testing.assert_array_equal(model(X, training=True), X * [1, 2])  # frozen: inference mode
    assert model.trainable_variables == [] and layer.losses == []
    assert [v.shape for v in model.variables] == [(2,), ()]


def test_trainable_moves_weights_adds_losses_and_passes_training(scaler):
    layer = HubLayer(scaler, trainable=True)
    model = functional(layer)
    np.testing.assert_array_equal(model(X, training=True), X * [1, 2] + 10)
    assert [v.shape for v in model.trainable_variables] == [(2,)]
    assert float(sum(model.losses)) == pytest.approx(0.5 * (1 + 4))
    model.compile(keras.optimizers.SGD(0.1), loss=lambda y, p: 0.0 * p, jit_compile=False)
    model.fit(X, X, epochs=1, batch_size=2, verbose=0)
    # The loss' gradient is zero, that of the penalty the scale itself: one step leaves 0.9 of it.
    np.testing.assert_allclose(layer.saved_model.trainable_variables[0], [0.9, 1.8], rtol=1e-6)
    np.testing.assert_allclose(model(X), X * [0.9, 1.8], rtol=1e-6)


def test_freezing_and_thawing(scaler):
    layer = HubLayer(scaler, trainable=True)
    model = functional(layer)
    model.trainable = False
    assert model.trainable_variables == [] and model.losses == []
    np.testing.assert_array_equal(model(X, training=True), X * [1, 2])
    model.trainable = True
    assert len(model.trainable_variables) == len(model.losses) == 1


def test_a_layer_that_is_called_twice_is_regularized_once(scaler):
    layer = HubLayer(scaler, trainable=True)
    left, right = keras.Input((2,)), keras.Input((2,))
    model = keras.Model([left, right], keras.layers.Dot(-1)([layer(left), layer(right)]))
    model([X, X], training=True)
    assert [float(loss) for loss in model.losses] == [2.5]


def test_a_plain_module_is_trained_on_the_variables_that_its_call_uses(module):
    layer = HubLayer(module, trainable=True)
    assert [v.name for v in layer.trainable_variables] == ["weight"]
    assert [v.name for v in layer.non_trainable_variables] == ["offset"]
    model = functional(layer)
    np.testing.assert_array_equal(model(X), X @ np.array([[1, 2], [3, 4]]) + 5)
    model.compile(keras.optimizers.SGD(0.25), loss=lambda y, p: p, jit_compile=False)
    model.fit(X, X, epochs=1, batch_size=2, verbose=0)
    # The mean over four outputs: each column's gradient is the sum of the rows of X, over 4.
    np.testing.assert_allclose(layer.trainable_variables[0], [[1 - 0.25, 2 - 0.25], [3 - 0.3125, 4 - 0.3125]])
    assert float(layer.non_trainable_variables[0]) == 5


def test_it_trains_as_the_library_that_wrote_it(tf_keras_model):
    path, model = tf_keras_model
    x = np.random.default_rng(5).normal(size=(12, 3)).astype("float32")
    y = np.random.default_rng(7).normal(size=(12, 2)).astype("float32")
    layer = HubLayer(path, trainable=True)
    inputs = keras.Input((3,))
    ours = keras.Model(inputs, layer(inputs))
    np.testing.assert_allclose(ours(x), model(x), atol=1e-6)
    ours.compile(keras.optimizers.SGD(0.1), "mse")
    arguments = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}
    expected, found = model.fit(x, y, **arguments), ours.fit(x, y, **arguments)
    np.testing.assert_allclose(found.history["loss"], expected.history["loss"], rtol=1e-5)
    np.testing.assert_allclose(ours(x), model(x), atol=1e-5)  # with the moving mean and variance
    assert np.abs(ours(x) - HubLayer(path)(x)).max() > 0.01


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_around_it(module, policy):
    inputs = keras.Input((2,))
    keras.config.set_dtype_policy(policy)
    layer = HubLayer(module, trainable=True)
    halved = keras.layers.Rescaling(0.5)(inputs)
    hidden = layer(halved)
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    assert (halved.dtype, hidden.dtype, model.output.dtype) == (policy[6:], "float32", policy[6:])
    assert {v.dtype for v in layer.variables} == {"float32"}
    np.testing.assert_array_equal(
        layer(halved_input := tf.constant(X / 2, policy[6:])), layer(tf.cast(halved_input, "float32"))
    )
    before = layer.trainable_variables[0].numpy()
    model.compile(keras.optimizers.SGD(1e-4), "mse")
    losses = model.fit(X, X[:, :1], epochs=12, verbose=0).history["loss"]  # until float16 has found its scale
    assert np.isfinite(losses).all()
    assert np.abs(layer.trainable_variables[0] - before).min() > 0


# In models, strings and dictionaries.


def test_strings_in_a_functional_model(embedding):
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, HubLayer(embedding)(texts))
    np.testing.assert_array_equal(model(tf.constant(WORDS)), [[3, 4], [1, 2], [5, 6]])
    np.testing.assert_array_equal(model.predict(tf.constant(WORDS), verbose=0), [[3, 4], [1, 2], [5, 6]])
    for texts in (WORDS, tuple(WORDS), np.array(WORDS), np.array(WORDS, object)):
        np.testing.assert_array_equal(HubLayer(embedding)(texts), [[3, 4], [1, 2], [5, 6]])


def test_strings_in_a_sequential_model_that_is_built_by_its_data(embedding):
    model = keras.Sequential([HubLayer(embedding, trainable=True), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(tf.constant(["dog", "dog"]), np.array([[1.0], [1.0]]), verbose=0)
    # d/dv of (1 + 2 - 1)^2 + 0.01 |v|^2 is 4 + 0.02 v for the word's vector, 0.02 v for the others.
    expected = [[1 - 0.402, 2 - 0.404], [3 * 0.998, 4 * 0.998], [5 * 0.998, 6 * 0.998]]
    np.testing.assert_allclose(model.layers[0].trainable_variables[0], expected, rtol=1e-5)


def test_as_old_notebooks_call_it(embedding, tmp_path):
    """The arguments of `hub.KerasLayer`: a Sequential model is built before its first data."""
    layer = HubLayer(embedding, input_shape=[], output_shape=[2], dtype=tf.string, trainable=True)
    model = keras.Sequential([layer, keras.layers.Dense(1, kernel_initializer="ones")])
    assert model.output_shape == (None, 1) and model.inputs[0].dtype == "string"
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(np.array(["dog", "dog"], dtype=object), np.array([[1.0], [1.0]]), verbose=0)
    np.testing.assert_allclose(layer.trainable_variables[0][0], [1 - 0.402, 2 - 0.404], rtol=1e-5)
    loaded = saved_and_loaded(model, tmp_path)
    np.testing.assert_array_equal(
        loaded.predict(np.array(WORDS, dtype=object), verbose=0), model.predict(tf.constant(WORDS), verbose=0)
    )
    with pytest.raises(ValueError, match="Expected no dtype but that of .*, 'string'. Received: dtype=tf.int32"):
        HubLayer(embedding, dtype=tf.int32)


def test_in_a_subclassed_model(embedding, tmp_path):
    class Classifier(keras.Model):
        def __init__(self):
            super().__init__()
            self.embed, self.score = HubLayer(embedding, trainable=True), keras.layers.Dense(1)

        def call(self, texts, training=None):
            return self.score(self.embed(texts, training=training))

    model = Classifier()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(tf.constant(WORDS), np.ones((3, 1)), verbose=0)
    assert np.abs(model.embed(WORDS) - [[3, 4], [1, 2], [5, 6]]).max() > 0.01
    model.save_weights(tmp_path / "tuned.weights.h5")
    other = Classifier()
    other(tf.constant(WORDS))
    other.load_weights(tmp_path / "tuned.weights.h5")
    np.testing.assert_array_equal(other(tf.constant(WORDS)), model(tf.constant(WORDS)))


def test_arguments_are_passed_on_at_each_call(embedding, tmp_path):
    layer = HubLayer(embedding, arguments={"repeated": 2})
    np.testing.assert_array_equal(layer(["cat"]), [[3, 4, 3, 4]])
    texts = keras.Input((), dtype="string")
    loaded = saved_and_loaded(keras.Model(texts, layer(texts)), tmp_path)
    np.testing.assert_array_equal(loaded(tf.constant(["cat"])), [[3, 4, 3, 4]])


def test_dictionaries(keras_export):
    path, model = keras_export
    expected = model({"a": A, "b": B})
    inputs = {"a": keras.Input((3,), name="a"), "b": keras.Input((2,), name="b")}
    ours = keras.Model(inputs, HubLayer(path)(inputs))
    found = ours({"a": A, "b": B})
    assert set(found) == {"once", "twice"}
    for key in found:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-6)
    once = HubLayer(path, output_key="once")
    np.testing.assert_allclose(once({"a": A.tolist(), "b": B}), expected["once"], rtol=1e-6)
    # An argument of the signature that is always the same.
    fixed = HubLayer(path, signature="serve", output_key="twice", arguments={"b": B.tolist()})
    np.testing.assert_allclose(fixed(A), expected["twice"], rtol=1e-6)
    assert len(fixed.non_trainable_variables) == 2


# The formats for inference only.


def test_tf1_graphs(tf1, tf1_hub):
    np.testing.assert_array_equal(HubLayer(tf1_hub)(WORDS), [2, 0, 4])
    found = HubLayer(tf1_hub, signature="default")(WORDS)
    np.testing.assert_array_equal([found["default"], found["twice"]], [[2, 0, 4], [4, 0, 8]])
    np.testing.assert_array_equal(HubLayer(tf1, tags=["serve"], output_key="twice")(WORDS), [4, 0, 8])
    with pytest.raises(ValueError, match=r"(?s)Expected a SavedModel that TensorFlow can load.*\['train', 'serve'\]"):
        HubLayer(tf1)


def test_tf1_reference_variables(tmp_path):
    foreign.write_tf1(str(tmp_path / "old"), resource_variables=False)
    layer = HubLayer(tmp_path / "old", output_key="default")
    np.testing.assert_array_equal(layer(WORDS), [2, 0, 4])
    texts = keras.Input((), dtype="string")
    loaded = saved_and_loaded(keras.Model(texts, layer(texts)), tmp_path)
    np.testing.assert_array_equal(loaded(tf.constant(WORDS)), [2, 0, 4])


@pytest.mark.parametrize(
    "name, options, why",
    [
        ("tf1_hub", {}, "is in the TF1 hub format, which TF2 loads without regularization losses"),
        ("keras_export", {}, r"has no reusable interface \(its root cannot be called\), only signatures"),
        ("scaler", {"signature": "serving_default"}, "is called by its signature 'serving_default', a graph for infer"),
    ],
)
def test_it_says_why_it_cannot_train(request, tmp_path, name, options, why):
    handle = request.getfixturevalue(name)
    handle = handle if isinstance(handle, str) else handle[0]
    if name == "scaler":
        root = tf.saved_model.load(handle)
        function = root.__call__.get_concrete_function(tf.TensorSpec([None, 2]), training=False)
        tf.saved_model.save(root, handle := str(tmp_path / "signed"), signatures=function)
    message = f"Expected trainable=False: {re.escape(handle)} {why}.*Received: trainable=True"
    with pytest.raises(ValueError, match=message):
        HubLayer(handle, trainable=True, **options)
    layer = HubLayer(handle, **options)
    inputs = {"tf1_hub": tf.constant(WORDS), "keras_export": {"a": A, "b": B}, "scaler": X}[name]
    expected = layer(inputs)
    layer.trainable = True
    with pytest.raises(ValueError, match=message):
        layer(inputs)
    layer = HubLayer.from_config(layer.get_config())  # as Keras loads it: no failure before it is called
    assert layer.trainable
    layer.trainable = False
    tf.nest.map_structure(np.testing.assert_array_equal, layer(inputs), expected)


def test_trainable_without_anything_to_train(tmp_path):
    root = tf.train.Checkpoint()
    root.__call__ = tf.function(lambda x: x, input_signature=[tf.TensorSpec([])])
    tf.saved_model.save(root, str(tmp_path / "identity"))
    with pytest.raises(ValueError, match="Expected trainable=False: .*identity has no trainable weights"):
        HubLayer(tmp_path / "identity", trainable=True)
    assert float(HubLayer(tmp_path / "identity")(7.0)) == 7
