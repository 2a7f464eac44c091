"""The root of a SavedModel, as a HubLayer calls it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.hub import HubLayer
from keras_transformer.hub.saved_model_function import choose_function
from tests.hub.foreign import X, save_root


def test_dictionaries_of_a_root(tmp_path):
    spec = {"x": tf.TensorSpec([None]), "n": tf.TensorSpec([], tf.int32)}
    path = save_root(tmp_path / "root", lambda inputs: {"y": inputs["x"] * tf.cast(inputs["n"], tf.float32)}, spec)
    inputs = {"x": keras.Input(()), "n": keras.Input(batch_shape=(), dtype="int32")}
    layer = HubLayer(path, output_key="y")
    assert layer(inputs).shape == (None,)
    np.testing.assert_array_equal(layer({"x": [2.0, 3.0], "n": 5}), [10, 15])
    np.testing.assert_array_equal(HubLayer(path)({"x": np.array([2.0, 3.0]), "n": tf.constant(5)})["y"], [10, 15])
    with pytest.raises(ValueError, match=r"Expected one of the outputs \['y'\] of .*Received: 'z'"):
        HubLayer(path, output_key="z")


def test_lists_of_a_root(tmp_path):
    path = save_root(tmp_path / "root", lambda pair: pair[0] - pair[1], [tf.TensorSpec([None]), tf.TensorSpec([None])])
    layer = HubLayer(path)
    for pair in ([[7.0], [5.0]], ([7.0], [5.0]), (np.array([7.0]), tf.constant([5.0], tf.bfloat16))):
        np.testing.assert_array_equal(layer(pair), [2])


def test_ragged_tensors(tmp_path):
    spec = tf.RaggedTensorSpec([None, None], tf.float32)
    path = save_root(tmp_path / "root", lambda x: tf.reduce_sum(x, axis=1), spec)
    np.testing.assert_array_equal(HubLayer(path)(tf.ragged.constant([[2.0], [3.0, 5.0]])), [2, 8])


def test_a_call_that_was_saved_as_one_concrete_function(tmp_path):
    root = tf.train.Checkpoint()
    root.factor = tf.Variable(3.0)
    root.__call__ = tf.function(lambda x: x * root.factor).get_concrete_function(tf.TensorSpec([None]))
    tf.saved_model.save(root, str(tmp_path / "root"))
    layer = HubLayer(tmp_path / "root", trainable=True)
    np.testing.assert_array_equal(layer([7.0]), [21])
    assert len(layer.trainable_variables) == 1


def test_bad_options_of_a_root(embedding):
    with pytest.raises(ValueError, match=r"Expected arguments of .* among \['repeated'\]. Received: arguments=\['x'\]"):
        HubLayer(embedding, arguments={"x": 1})
    with pytest.raises(
        ValueError, match="Expected output_key=None, since .* returns no dictionary. Received: 'outputs'"
    ):
        HubLayer(embedding, output_key="outputs")


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


def test_variables_are_those_that_the_root_lists_else_those_of_its_call(scaler, module):
    for path, trainable, others in ((scaler, ["scale:0"], ["offset:0"]), (module, ["weight:0"], ["offset:0"])):
        function = choose_function(tf.saved_model.load(path), path)
        assert [[v.name for v in variables] for variables in function.variables] == [trainable, others]


def test_regularization(scaler, module):
    function = choose_function(tf.saved_model.load(scaler), scaler)
    assert function.has_regularization and float(function.regularization_loss()) == 2.5
    assert not choose_function(tf.saved_model.load(module), module).has_regularization
