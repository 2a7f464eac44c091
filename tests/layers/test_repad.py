import numpy as np
import pytest

from keras_transformer.layers import Repad, Unpad
from keras_transformer.ops import masks

X = np.random.default_rng(1).normal(size=(3, 5, 6)).astype("float32")
MASK = np.array([[1, 1, 0, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)


def test_zeros_at_padding_and_the_mask_of_the_batch():
    repadded = Repad()(*Unpad()(X, padding_mask=MASK))
    np.testing.assert_array_equal(repadded, np.where(MASK[..., None], X, 0.0))
    np.testing.assert_array_equal(masks.implicit_mask(repadded), MASK)


def test_what_is_not_a_number_stays_where_it_is():
    x = X.copy()
    x[0, 1] = np.nan
    repadded = np.asarray(Repad()(*Unpad()(x, padding_mask=MASK)))
    assert np.isnan(repadded).sum() == 6 and np.isnan(repadded[0, 1]).all()


def test_bad_inputs():
    with pytest.raises(ValueError, match="rank 2"):
        Repad()(X, Unpad()(X)[1])
