import keras
import numpy as np
import pytest

from keras_transformer.layers import Dropout


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("shape", [(1,), (7, 11, 13), (0, 3)])
def test_each_element_is_dropped_or_scaled(dtype, shape):
    outputs = keras.ops.cast(Dropout(0.25, dtype=dtype)(np.ones(shape), training=True), "float32")
    outputs = keras.ops.convert_to_numpy(outputs)
    assert outputs.shape == shape
    np.testing.assert_allclose(outputs[outputs != 0], 1 / 0.75, rtol=4e-3 if "b" in dtype else 1e-4)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.999])
def test_the_share_that_is_dropped(rate):
    outputs = keras.ops.convert_to_numpy(Dropout(rate, seed=1)(np.ones((1000, 1001)), training=True))
    deviation = (rate * (1 - rate) / outputs.size) ** 0.5
    assert abs((outputs == 0).mean() - rate) < 5 * deviation
    # Neighbours, which share a word of random bits, are dropped independently.
    both = ((outputs.ravel()[:-1:2] == 0) & (outputs.ravel()[1::2] == 0)).mean()
    assert abs(both - rate**2) < 5 * (rate**2 * (1 - rate**2) / (outputs.size / 2)) ** 0.5


def test_masks_differ_between_calls_and_come_back_with_the_seed():
    first, second = (Dropout(0.5, seed=3) for _ in range(2))
    x = np.ones((20, 20))
    a, b = (keras.ops.convert_to_numpy(first(x, training=True)) for _ in range(2))
    assert (a != b).any()
    np.testing.assert_array_equal(a, keras.ops.convert_to_numpy(second(x, training=True)))


def test_nothing_is_dropped_outside_training():
    x = np.random.RandomState(0).normal(size=(3, 4)).astype("float32")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(Dropout(0.5)(x)), x)
