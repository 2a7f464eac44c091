"""Which function of a SavedModel is chosen."""

import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.hub import HubLayer
from keras_transformer.hub.root_function import RootFunction
from keras_transformer.hub.saved_model_function import choose_function, signatures_of
from keras_transformer.hub.signature_function import SignatureFunction
from tests.hub.foreign import A, save_root


def test_nothing_to_call(tmp_path):
    with pytest.raises(
        ValueError, match="Expected a SavedModel with functions. Received: .*, of which none was traced"
    ):
        HubLayer(save_root(tmp_path / "untraced", lambda x: x))
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


def test_no_usual_signature(tmp_path):
    root = tf.train.Checkpoint()
    root.f = tf.function(lambda x: {"y": x}, input_signature=[tf.TensorSpec([])])
    tf.saved_model.save(root, str(tmp_path / "two"), signatures={"mine": root.f, "yours": root.f})
    with pytest.raises(ValueError, match=r"Expected signature to be one of \['mine', 'yours'\], since the root of"):
        HubLayer(tmp_path / "two")
    assert {k: float(v) for k, v in HubLayer(tmp_path / "two", signature="yours")(7.0).items()} == {"y": 7}
    tf.saved_model.save(root, str(tmp_path / "one"), signatures={"mine": root.f})
    assert float(HubLayer(tmp_path / "one", output_key="y")(7.0)) == 7


def test_inference_goes_by_the_usual_signature_before_the_root(tmp_path):
    root = tf.Module()
    root.__call__ = tf.function(lambda x: {"y": 2 * x}, input_signature=[tf.TensorSpec([None])])
    signature = tf.function(lambda x: {"y": 3 * x}, input_signature=[tf.TensorSpec([None])])
    for name, for_inference, kind, factor in [
        ("serving_default", True, SignatureFunction, 3),
        ("serving_default", False, RootFunction, 2),
        ("other", True, RootFunction, 2),
    ]:
        path = str(tmp_path / f"{name}-{for_inference}")
        tf.saved_model.save(root, path, signatures={name: signature})
        saved_model = tf.saved_model.load(path)
        function = choose_function(saved_model, name, for_inference=for_inference)
        assert type(function) is kind and list(signatures_of(saved_model)) == [name]
        np.testing.assert_array_equal(function(tf.constant([5.0]))["y"], [5 * factor])
