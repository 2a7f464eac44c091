import numpy as np
import pytest

from keras_transformer.layers import Bias


def test_adds_its_vector():
    layer = Bias()
    x = np.arange(12.0).reshape(2, 2, 3)
    np.testing.assert_array_equal(layer(x), x)
    layer.bias.assign([1.0, 0.0, -2.0])
    np.testing.assert_array_equal(layer(x), x + [1, 0, -2])


def test_unknown_width():
    with pytest.raises(ValueError, match="known last dimension"):
        Bias().build((2, None))
