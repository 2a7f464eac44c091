"""Which function of a SavedModel a HubLayer calls, and with what."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.hub import HubLayer
from tests.hub.foreign import A, B, X


def saved(path, call, *specs):
    """The path of a SavedModel whose root is `call`, traced for each of `specs`."""
    root = tf.train.Checkpoint()
    root.__call__ = tf.function(call)
    for spec in specs:
        root.__call__.get_concrete_function(spec)
    tf.saved_model.save(root, str(path))
    return path


def test_dictionaries_of_a_root(tmp_path):
    spec = {"x": tf.TensorSpec([None]), "n": tf.TensorSpec([], tf.int32)}
    path = saved(tmp_path / "root", lambda inputs: {"y": inputs["x"] * tf.cast(inputs["n"], tf.float32)}, spec)
    inputs = {"x": keras.Input(()), "n": keras.Input(batch_shape=(), dtype="int32")}
    layer = HubLayer(path, output_key="y")
    assert layer(inputs).shape == (None,)
    np.testing.assert_array_equal(layer({"x": [2.0, 3.0], "n": 5}), [10, 15])
    np.testing.assert_array_equal(HubLayer(path)({"x": np.array([2.0, 3.0]), "n": tf.constant(5)})["y"], [10, 15])
    with pytest.raises(ValueError, match=r"Expected one of the outputs \['y'\] of .*Received: 'z'"):
        HubLayer(path, output_key="z")


def test_lists_of_a_root(tmp_path):
    path = saved(tmp_path / "root", lambda pair: pair[0] - pair[1], [tf.TensorSpec([None]), tf.TensorSpec([None])])
    layer = HubLayer(path)
    for pair in ([[7.0], [5.0]], ([7.0], [5.0]), (np.array([7.0]), tf.constant([5.0], tf.bfloat16))):
        np.testing.assert_array_equal(layer(pair), [2])


def test_ragged_tensors(tmp_path):
    path = saved(tmp_path / "root", lambda x: tf.reduce_sum(x, axis=1), tf.RaggedTensorSpec([None, None], tf.float32))
    np.testing.assert_array_equal(HubLayer(path)(tf.ragged.constant([[2.0], [3.0, 5.0]])), [2, 8])


def test_a_call_that_was_saved_as_one_concrete_function(tmp_path):
    root = tf.train.Checkpoint()
    root.factor = tf.Variable(3.0)
    root.__call__ = tf.function(lambda x: x * root.factor).get_concrete_function(tf.TensorSpec([None]))
    tf.saved_model.save(root, str(tmp_path / "root"))
    layer = HubLayer(tmp_path / "root", trainable=True)
    np.testing.assert_array_equal(layer([7.0]), [21])
    assert len(layer.trainable_variables) == 1


def test_nothing_to_call(tmp_path):
    with pytest.raises(
        ValueError, match="Expected a SavedModel with functions. Received: .*, of which none was traced"
    ):
        HubLayer(saved(tmp_path / "untraced", lambda x: x))
    tf.saved_model.save(tf.Module(), str(tmp_path / "empty"))
    with pytest.raises(
        ValueError, match="Expected a SavedModel with functions. Received: .*, of which none was traced"
    ):
        HubLayer(tmp_path / "empty")
    root = tf.train.Checkpoint()
    root.__call__ = tf.function(lambda: 1.0, input_signature=[])
    tf.saved_model.save(root, str(tmp_path / "constant"))
    with pytest.raises(
        ValueError, match="Expected a SavedModel that takes inputs. Received: .*, whose root takes none"
    ):
        HubLayer(tmp_path / "constant")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"signature": "mine"}, r"Expected one of the signatures \['serve', 'serving_default'\] of .*Received: 'mine'"),
        ({"output_key": "thrice"}, r"Expected one of the outputs \['once', 'twice'\] of .*Received: 'thrice'"),
        ({"arguments": {"c": 1}}, r"Expected arguments of .* among \['a', 'b'\]. Received: arguments=\['c'\]"),
        ({"arguments": ["a"]}, r"Expected arguments to be a dictionary. Received: \['a'\]"),
        ({"arguments": {"a": A}}, "Expected arguments and tags that JSON holds. Received: "),
        ({"dtype": "bfloat16"}, "Expected no dtype but that of .*, 'float32'. Received: dtype='bfloat16'"),
        ({"dtype": "mixed_float16"}, "Expected no dtype but that of .*, 'float32'. Received: dtype='mixed_float16'"),
        ({"input_shape": "ab"}, "Expected a list of sizes, without that of the batch. Received: input_shape='ab'"),
        ({"output_shape": [-1]}, r"Expected a list of sizes, .*Received: output_shape=\[-1\]"),
    ],
)
def test_bad_options(keras_export, options, message):
    with pytest.raises(ValueError, match=message):
        HubLayer(keras_export[0], **options)


def test_bad_options_of_a_root(embedding):
    with pytest.raises(ValueError, match=r"Expected arguments of .* among \['repeated'\]. Received: arguments=\['x'\]"):
        HubLayer(embedding, arguments={"x": 1})
    with pytest.raises(
        ValueError, match="Expected output_key=None, since .* returns no dictionary. Received: 'outputs'"
    ):
        HubLayer(embedding, output_key="outputs")


def test_no_usual_signature(tmp_path):
    root = tf.train.Checkpoint()
    root.f = tf.function(lambda x: {"y": x}, input_signature=[tf.TensorSpec([])])
    tf.saved_model.save(root, str(tmp_path / "two"), signatures={"mine": root.f, "yours": root.f})
    with pytest.raises(ValueError, match=r"Expected signature to be one of \['mine', 'yours'\], since the root of"):
        HubLayer(tmp_path / "two")
    assert {k: float(v) for k, v in HubLayer(tmp_path / "two", signature="yours")(7.0).items()} == {"y": 7}
    tf.saved_model.save(root, str(tmp_path / "one"), signatures={"mine": root.f})
    assert float(HubLayer(tmp_path / "one", output_key="y")(7.0)) == 7


@pytest.mark.parametrize(
    "inputs, received",
    [
        (np.array([["a", "b"]]), r"string \(1, 2\)"),
        (np.array([[1, 2]]), r"int64 \(1, 2\)"),
        (np.array([[1.0, 2.0, 3.0]]), r"float32 \(1, 3\)"),
        ([["a", "b"]], r"string \(1, 2\)"),
        ({"x": X}, r"\{'x': float32 \(2, 2\)\}"),
    ],
)
def test_wrong_inputs_of_a_root(module, inputs, received):
    with pytest.raises(ValueError, match=rf"Expected inputs of .*: float32 \(None, 2\). Received: {received}"):
        HubLayer(module)(inputs)


def test_training_that_it_was_not_traced_for(tmp_path):
    root = tf.train.Checkpoint()
    root.trainable_variables = root.variables = [tf.Variable(2.0)]
    root.__call__ = tf.function(lambda x, training: x * root.variables[0])
    root.__call__.get_concrete_function(tf.TensorSpec([]), training=False)
    tf.saved_model.save(root, str(tmp_path / "inference"))
    layer = HubLayer(tmp_path / "inference", trainable=True)
    assert float(layer(3.0)) == 6
    with pytest.raises(ValueError, match=r"float32 \(\), training=False. Received: float32 \(\), training=True"):
        layer(3.0, training=True)


def test_training_as_a_tensor(tmp_path):
    """One trace for both modes, as of a function with an `input_signature`."""
    root = tf.train.Checkpoint()
    scale = tf.Variable([2.0], name="scale")
    root.trainable_variables = root.variables = [scale]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([], tf.bool, name="training")])
    def call(texts, training=False):
        lengths = scale * tf.cast(tf.strings.length(texts), tf.float32)[:, None]
        return tf.cond(training, lambda: lengths + 10.0, lambda: lengths)

    root.__call__ = call
    tf.saved_model.save(root, str(tmp_path / "switched"))
    frozen, layer = HubLayer(tmp_path / "switched"), HubLayer(tmp_path / "switched", trainable=True)
    for training, expected in ((None, [[4], [6]]), (False, [[4], [6]]), (True, [[14], [16]])):
        np.testing.assert_array_equal(layer(["ab", "abc"], training=training), expected)
        np.testing.assert_array_equal(frozen(["ab", "abc"], training=training), [[4], [6]])
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, layer(texts))
    model.compile(keras.optimizers.SGD(0.1), loss=lambda y, p: p, jit_compile=False)
    model.fit(tf.constant(["ab", "abcd"]), np.zeros((2, 1)), verbose=0)
    np.testing.assert_allclose(layer.trainable_variables[0], [2 - 0.1 * 3], rtol=1e-6)
    np.testing.assert_allclose(model.predict(tf.constant(["a"]), verbose=0), [[1.7]], rtol=1e-6)
    with pytest.raises(ValueError, match=r"string \(None,\), training=bool \(\). Received: float32 \(1,\), training"):
        layer([1.0])


def test_a_dictionary_of_one_output(tmp_path):
    """Before a Dense it would be `KeyError: -1`, so that a warning says what to do."""
    spec = tf.TensorSpec([None, 2])
    path = saved(tmp_path / "root", lambda x: {"sum": tf.reduce_sum(x, axis=1, keepdims=True)}, spec)
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

    path = saved(tmp_path / "root", call, tf.TensorSpec([None, 2]))
    layer = HubLayer(path, output_shape=[2])
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="ones")(layer(inputs)))
    np.testing.assert_array_equal(model(X), [[2], [7]])
    np.testing.assert_array_equal(HubLayer.from_config(layer.get_config())(X), X)
    with pytest.raises(ValueError, match=r"Expected outputs of .* of shape \(None, 3\). Received: \(2, 2\)"):
        HubLayer(path, output_shape=[3])(X)


@pytest.mark.parametrize(
    "inputs, received",
    [
        (A, r"float32 \(1, 3\)"),
        ({"a": A}, r"\{'a': float32 \(1, 3\)\}"),
        ({"a": A, "b": np.array([[1, 2]])}, r"\{'a': float32 \(1, 3\), 'b': int64 \(1, 2\)\}"),
        ({"a": B, "b": B}, r"\{'a': float32 \(1, 2\), 'b': float32 \(1, 2\)\}"),
    ],
)
def test_wrong_inputs_of_a_signature(keras_export, inputs, received):
    expected = r"\{'a': float32 \(None, 3\), 'b': float32 \(None, 2\)\}"
    with pytest.raises(ValueError, match=rf"Expected inputs of .*: {expected}. Received: {received}"):
        HubLayer(keras_export[0])(inputs)
