"""A signature of a SavedModel: tensors by name in and out."""

import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.hub import HubLayer
from keras_transformer.hub.signature_function import SignatureFunction
from tests.hub.foreign import A, B


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


@pytest.fixture(scope="module")
def saved_model(keras_export):
    return tf.saved_model.load(keras_export[0])


@pytest.fixture
def signature(saved_model):
    return saved_model.signatures["serving_default"]


def test_inputs_by_name(signature, keras_export):
    wanted = keras_export[1]({"a": A, "b": B})
    function = SignatureFunction(signature, "here")
    found = function({"a": tf.constant(A), "b": tf.cast(B, tf.bfloat16)})
    np.testing.assert_allclose(found["once"], wanted["once"], rtol=1e-5)
    assert sorted(found) == ["once", "twice"] and function.only_output is None
    twice = SignatureFunction(signature, "here", "twice")({"a": tf.constant(A), "b": tf.constant(B)})
    np.testing.assert_allclose(twice, wanted["twice"], rtol=1e-5)


def test_an_argument_leaves_the_other_input(signature, keras_export):
    function = SignatureFunction(signature, "here", "once", {"b": B.tolist()})
    np.testing.assert_allclose(function(tf.constant(A)), keras_export[1]({"a": A, "b": B})["once"], rtol=1e-5)
    assert function.input_dtype == "float32" and list(function.specs[0][0]) == ["a"]


def test_it_is_for_inference(signature):
    function = SignatureFunction(signature, "here", inference_only="is a graph")
    trainable, others = function.variables
    assert function.inference_only == "is a graph" and trainable == [] and len(others) == 2
