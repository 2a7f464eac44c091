import keras
import numpy as np
import pytest

from keras_transformer.layers import AddNorm
from keras_transformer.ops import masks
from keras_transformer.testing import backends
from tests import reference

_random = np.random.default_rng(4)
X, Y = _random.normal(size=(2, 2, 3, 5)).astype("float32")


@pytest.mark.parametrize("norm_first", [False, True])
def test_equals_its_formula(norm_first):
    layer = AddNorm(norm_first=norm_first)
    layer(X, Y)
    reference.randomize(layer)
    scale, offset = layer.norm.get_weights()
    norm = lambda x: reference.layer_norm(x.astype("float64"), scale, offset)  # noqa: E731
    np.testing.assert_allclose(layer.normalize_input(X), norm(X) if norm_first else X, atol=1e-5)
    np.testing.assert_allclose(layer(X, Y), X + Y if norm_first else norm(X + Y), atol=1e-5)


def test_dropout_is_on_the_sublayer_only():
    layer = AddNorm(dropout=0.999, norm_first=True)
    np.testing.assert_allclose(layer(X, np.zeros_like(X), training=True), X)
    dropped = layer(X, Y, training=True)
    assert np.mean(np.isclose(dropped, X)) > 0.9


@pytest.mark.parametrize("norm_first", [False, True])
def test_padding_may_hold_anything(norm_first):
    x = keras.ops.convert_to_tensor(np.where(np.arange(3)[:, None] < 2, X, np.float32("nan")))
    masks.attach(x, keras.ops.convert_to_tensor(np.tile([True, True, False], (2, 1))))
    layer = AddNorm(norm_first=norm_first)
    layer.build(X.shape)
    found = backends.gradients(
        layer, {"inputs": x, "outputs": x}, {}, lambda y: keras.ops.sum((y + layer.normalize_input(x))[:, :2] ** 2)
    )
    assert all(np.isfinite(gradient).all() for gradient in found.values())


def test_shapes_must_be_equal():
    with pytest.raises(ValueError, match=r"AddNorm expected equal shapes. .* outputs: \(2, 1, 5\)"):
        AddNorm()(X, Y[:, :1])


def test_bad_arguments():
    with pytest.raises(ValueError, match="layer_norm_epsilon=0"):
        AddNorm(layer_norm_epsilon=0)
