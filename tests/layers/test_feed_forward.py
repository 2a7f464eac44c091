import numpy as np
import pytest

from keras_transformer.layers import FeedForward


def test_by_hand():
    layer = FeedForward(2)
    x = np.array([[[1.0, 2.0]]], "float32")
    layer(x)
    layer.set_weights([np.array([[1, -1], [1, -1]]), np.array([1, 1]), np.array([[2, 0], [5, 5]]), np.array([0, 1])])
    # relu([1 + 2 + 1, -1 - 2 + 1]) = [4, 0]; [8, 0] + [0, 1]
    np.testing.assert_array_equal(layer(x), [[[8.0, 1.0]]])


def test_dropout_in_training_only():
    layer = FeedForward(50, dropout=0.5)
    x = np.ones((1, 1, 6), "float32")
    np.testing.assert_array_equal(layer(x), layer(x, training=False))
    assert np.abs(layer(x, training=True) - layer(x)).max() > 1e-3


@pytest.mark.parametrize("config", [{"intermediate_dim": 0}, {"intermediate_dim": 3, "dropout": -0.1}])
def test_bad_arguments(config):
    with pytest.raises(ValueError, match="Received: "):
        FeedForward(**config)
