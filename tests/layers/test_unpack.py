import numpy as np
import pytest

from keras_transformer.layers import Pack, Unpack, masks

X = np.random.default_rng(1).normal(size=(3, 5, 6)).astype("float32")
MASK = np.array([[1, 1, 0, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)


def test_zeros_at_padding_and_the_mask_of_the_batch():
    unpacked = Unpack()(*Pack()(X, padding_mask=MASK))
    np.testing.assert_array_equal(unpacked, np.where(MASK[..., None], X, 0.0))
    np.testing.assert_array_equal(masks.implicit_mask(unpacked), MASK)


def test_what_is_not_a_number_stays_where_it_is():
    x = X.copy()
    x[0, 1] = np.nan
    unpacked = np.asarray(Unpack()(*Pack()(x, padding_mask=MASK)))
    assert np.isnan(unpacked).sum() == 6 and np.isnan(unpacked[0, 1]).all()


def test_bad_inputs():
    with pytest.raises(ValueError, match="rank 2"):
        Unpack()(X, Pack()(X)[1])
