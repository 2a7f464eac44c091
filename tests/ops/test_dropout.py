import keras
import numpy as np
import pytest

from keras_transformer.ops.dropout import dropout_of_words

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="elsewhere Keras' own runs")


def test_equal_seeds_give_equal_masks_that_do_not_depend_on_the_values():
    x = np.random.default_rng(0).normal(size=(30, 31)).astype("float32")
    one, other = (np.asarray(dropout_of_words(values, 0.25, np.array([3, 4]))) for values in (x, np.ones_like(x)))
    np.testing.assert_allclose(one, x * other, rtol=1e-6)
    np.testing.assert_allclose(other[other != 0], 4 / 3, rtol=1e-4)
    assert abs((other == 0).mean() - 0.25) < 0.06


def test_other_seeds_give_other_masks():
    x = np.ones((20, 20), "float32")
    one, other = (np.asarray(dropout_of_words(x, 0.5, np.array([seed, 0]))) for seed in (1, 2))
    assert (one != other).any()
