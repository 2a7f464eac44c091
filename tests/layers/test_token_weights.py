import keras
import numpy as np
import pytest

from keras_transformer.layers import TokenEmbedding, TokenWeights
from keras_transformer.ops import masks
from keras_transformer.testing import backends


def test_begins_as_the_smooth_inverse_frequency():
    layer = TokenWeights(4 + 100, smoothing=0.01)
    factors = layer(np.ones((1, 104, 1), "float32"), np.arange(104)[None])[0, :, 0]
    np.testing.assert_allclose(factors[:4], 1.0)
    # By Zipf's law the first of 100 words is 1 / 5.1824 of a text, the tenth a tenth of that.
    np.testing.assert_allclose(factors[4], 0.01 / (0.01 + 1 / 5.182386), rtol=1e-5)
    np.testing.assert_allclose(factors[13], 0.01 / (0.01 + 0.1 / 5.182386), rtol=1e-5)
    assert (np.diff(factors[4:]) > 0).all()


def test_each_vector_by_the_factor_of_its_token():
    layer = TokenWeights(7, num_special=0)
    vectors = np.random.RandomState(0).normal(size=(2, 3, 5)).astype("float32")
    ids = np.array([[6, 0, 2], [1, 1, 3]])
    layer.build(vectors.shape, ids.shape)
    layer.factors.assign(np.arange(7) - 2.0)
    np.testing.assert_allclose(layer(vectors, ids), vectors * (ids - 2.0)[..., None], rtol=1e-6)


def test_passes_the_mask_on():
    ids = np.array([[5, 6, 0]])
    vectors = TokenEmbedding(9, 4)(ids)
    mask = masks.implicit_mask(TokenWeights(9)(vectors, ids))
    np.testing.assert_array_equal(mask, [[True, True, False]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vocabulary_size": 4}, "vocabulary_size above num_special=4. Received: vocabulary_size=4"),
        ({"vocabulary_size": 9, "smoothing": 0.0}, "smoothing=0.0"),
        ({"vocabulary_size": 9, "num_special": -1}, "num_special=-1"),
    ],
)
def test_bad_values(options, message):
    with pytest.raises(ValueError, match=message):
        TokenWeights(**options)


def test_padding_may_hold_anything():
    x, ids = np.ones((1, 3, 2), "float32"), np.array([[5, 6, 0]])
    x[0, 2] = np.nan
    x = keras.ops.convert_to_tensor(x)
    masks.attach(x, keras.ops.convert_to_tensor(ids != 0))
    layer = TokenWeights(7)
    layer.build((1, 3, 2))
    (gradient,) = backends.gradients(
        layer, {"inputs": x, "ids": ids}, {}, lambda outputs: keras.ops.sum(outputs[:, :2])
    ).values()
    np.testing.assert_array_equal(gradient, [0, 0, 0, 0, 0, 2, 2])


def test_ids_outside_the_vocabulary_or_of_another_shape():
    with pytest.raises(ValueError, match=r"token ids in \[0, 7\). Received: 7"):
        TokenWeights(7)(np.ones((1, 1, 2)), np.array([[7]]))
    with pytest.raises(ValueError, match=r"equal shapes. Received: inputs: \(1, 2\), ids: \(1, 3\)"):
        TokenWeights(7)(np.ones((1, 2, 2)), np.array([[1, 2, 3]]))
