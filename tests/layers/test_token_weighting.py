import numpy as np
import pytest

from keras_transformer.layers import TokenEmbedding, TokenWeighting, masks


def test_begins_as_the_smooth_inverse_frequency():
    layer = TokenWeighting(4 + 100, smoothing=0.01)
    factors = layer(np.ones((1, 104, 1), "float32"), np.arange(104)[None])[0, :, 0]
    np.testing.assert_allclose(factors[:4], 1.0)
    # By Zipf's law the first of 100 words is 1 / 5.1824 of a text, the tenth a tenth of that.
    np.testing.assert_allclose(factors[4], 0.01 / (0.01 + 1 / 5.182386), rtol=1e-5)
    np.testing.assert_allclose(factors[13], 0.01 / (0.01 + 0.1 / 5.182386), rtol=1e-5)
    assert (np.diff(factors[4:]) > 0).all()


def test_each_vector_by_the_factor_of_its_token():
    layer = TokenWeighting(7, num_special=0)
    vectors = np.random.RandomState(0).normal(size=(2, 3, 5)).astype("float32")
    ids = np.array([[6, 0, 2], [1, 1, 3]])
    layer.build(vectors.shape, ids.shape)
    layer.factors.assign(np.arange(7) - 2.0)
    np.testing.assert_allclose(layer(vectors, ids), vectors * (ids - 2.0)[..., None], rtol=1e-6)


def test_passes_the_mask_on():
    ids = np.array([[5, 6, 0]])
    vectors = TokenEmbedding(9, 4)(ids)
    mask = masks.implicit_mask(TokenWeighting(9)(vectors, ids))
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
        TokenWeighting(**options)
