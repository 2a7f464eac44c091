import numpy as np
import pytest

from keras_transformer.layers import Residual
from tests import reference

_random = np.random.default_rng(4)
X, Y = _random.normal(size=(2, 2, 3, 5)).astype("float32")


@pytest.mark.parametrize("norm_first", [False, True])
def test_equals_its_formula(norm_first):
    layer = Residual(norm_first=norm_first)
    layer(X, Y)
    reference.randomize(layer)
    scale, offset = layer.norm.get_weights()
    norm = lambda x: reference.layer_norm(x.astype("float64"), scale, offset)  # noqa: E731
    np.testing.assert_allclose(layer.prepare(X), norm(X) if norm_first else X, atol=1e-5)
    np.testing.assert_allclose(layer(X, Y), X + Y if norm_first else norm(X + Y), atol=1e-5)


def test_dropout_is_on_the_sublayer_only():
    layer = Residual(dropout=0.999, norm_first=True)
    np.testing.assert_allclose(layer(X, np.zeros_like(X), training=True), X)
    dropped = layer(X, Y, training=True)
    assert np.mean(np.isclose(dropped, X)) > 0.9


def test_bad_arguments():
    with pytest.raises(ValueError, match="layer_norm_epsilon=0"):
        Residual(layer_norm_epsilon=0)
