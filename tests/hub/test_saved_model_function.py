"""Which function of a SavedModel a HubLayer calls, and with what."""

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
        ({"dtype": "bfloat16"}, "Expected no dtype: the SavedModel has its own. Received: dtype='bfloat16'"),
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
