import keras
import numpy as np
import pytest

from keras_transformer.layers import EmbeddingResidual
from keras_transformer.ops import masks
from keras_transformer.testing import backends

X = np.arange(6, dtype="float32").reshape(1, 3, 2)


def test_by_hand():
    np.testing.assert_allclose(EmbeddingResidual(0.5)(X, np.ones_like(X)), X + 0.5)


def test_padding_may_hold_anything():
    spoiled = X.copy()
    spoiled[0, 2] = np.nan
    spoiled = keras.ops.convert_to_tensor(spoiled)
    masks.attach(spoiled, keras.ops.convert_to_tensor([[True, True, False]]))
    layer = EmbeddingResidual()
    layer.build(X.shape)
    (gradient,) = backends.gradients(
        layer, {"inputs": spoiled, "embeddings": spoiled}, {}, lambda outputs: keras.ops.sum(outputs[:, :2])
    ).values()
    assert gradient == 0 + 1 + 2 + 3


def test_shapes_must_be_equal():
    with pytest.raises(ValueError, match=r"EmbeddingResidual expected equal shapes. .* embeddings: \(1, 2, 2\)"):
        EmbeddingResidual()(X, X[:, :2])
