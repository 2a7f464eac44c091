import pytest
import tensorflow as tf

from keras_transformer.hub.loaded_function import LoadedFunction, on_one_device, split_variables, without_repeats

SPEC = tf.TensorSpec([None], tf.string)


def test_the_only_output():
    assert LoadedFunction("here", None, [(SPEC, SPEC)]).only_output is None
    assert LoadedFunction("here", None, [(SPEC, {"y": SPEC})]).only_output == "y"
    assert LoadedFunction("here", "y", [(SPEC, {"y": SPEC})]).only_output is None
    assert LoadedFunction("here", None, [(SPEC, {"y": SPEC, "z": SPEC})]).only_output is None
    assert LoadedFunction("here", None, [(SPEC, SPEC)]).input_dtype == "string"


def test_outputs_that_there_are_not():
    with pytest.raises(ValueError, match="Expected output_key=None, since here returns no dictionary. Received: 'y'"):
        LoadedFunction("here", "y", [(SPEC, SPEC)])
    with pytest.raises(ValueError, match=r"Expected one of the outputs \['y'\] of here. Received: 'z'"):
        LoadedFunction("here", "z", [(SPEC, {"y": SPEC})])


def test_variables_are_split_without_repeats():
    one, two, three = (tf.Variable(float(i)) for i in range(3))
    trainable, others = split_variables([two, two], [one, two, three, one])
    assert [v is w for v, w in zip(trainable, [two], strict=True)] == [True]
    assert [v is w for v, w in zip(others, [one, three], strict=True)] == [True, True]
    assert len(without_repeats([one, two, one])) == 2


def test_without_a_strategy_a_function_is_just_called():
    assert on_one_device(lambda: {"y": 7}) == {"y": 7}
