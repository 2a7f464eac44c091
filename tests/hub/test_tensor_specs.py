import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.hub.tensor_specs import as_tensors, cast_floats, described, only_dtype

FLOATS, INTEGERS = tf.TensorSpec([None, 2]), tf.TensorSpec([None], tf.int32)


def test_the_dtype_of_the_only_tensor():
    assert only_dtype(INTEGERS) == only_dtype({"x": INTEGERS}) == "int32"
    assert only_dtype([INTEGERS, INTEGERS]) == "float32"


@pytest.mark.parametrize(
    "value, wanted",
    [
        (np.zeros((3, 2)), "float64 (3, 2)"),
        (FLOATS, "float32 (None, 2)"),
        ([FLOATS, INTEGERS], "[float32 (None, 2), int32 (None,)]"),
        ({"x": FLOATS, "n": 5}, "{'x': float32 (None, 2), 'n': 5}"),
        (tf.TensorSpec(None, tf.string), "string of any shape"),
        ("a", "'a'"),
    ],
)
def test_described(value, wanted):
    assert described(value) == wanted


def test_floats_are_cast_to_the_first_spec_of_their_structure():
    x, n = tf.constant([[1.0, 2.0]], tf.bfloat16), tf.constant([3])
    found = cast_floats({"x": x, "n": n}, [FLOATS, {"x": FLOATS, "n": INTEGERS}])
    assert (found["x"].dtype, found["n"].dtype) == (tf.float32, tf.int32)
    assert cast_floats([x], [FLOATS, {"x": FLOATS}]) == [x]


def test_python_values_become_tensors_where_the_spec_has_one():
    found = as_tensors({"x": [[1, 2]], "n": np.array([7])}, {"x": FLOATS, "n": INTEGERS})
    assert found["x"].dtype == tf.float32 and found["x"].shape == (1, 2) and isinstance(found["n"], np.ndarray)
    assert as_tensors([[1], [2]], [INTEGERS, INTEGERS])[1].shape == (1,)
    assert as_tensors(["a"], INTEGERS).dtype == tf.string  # the call refuses it by name
