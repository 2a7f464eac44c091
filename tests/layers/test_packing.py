import numpy as np
import pytest

from keras_transformer.layers import packing

MASK = np.array([[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]], bool)


def test_places_and_rows_by_hand():
    found = packing.packing_of(MASK)
    np.testing.assert_array_equal(found["places"], [0, 1, 5, 7, 12, 13, 14, 15])
    # Of padding: the token before, wherever that is.
    np.testing.assert_array_equal(found["rows"], [[0, 1, 1, 1], [1, 2, 2, 3], [3, 3, 3, 3], [4, 5, 6, 7]])


@pytest.mark.parametrize("first", [0, 1])
def test_spread_brings_back_what_pack_took(first):
    x = np.random.default_rng(0).normal(size=(4, 4, 3)).astype("float32")
    found = packing.packing_of(MASK[first:])
    packed = packing.pack(x[first:], found)
    np.testing.assert_array_equal(packed, x[first:][MASK[first:]])
    np.testing.assert_array_equal(np.asarray(packing.spread(packed, found))[MASK[first:]], packed)


def test_padding_alone_and_no_text_at_all():
    x = np.ones((2, 4, 3), "float32")
    nothing = packing.packing_of(np.zeros((2, 4), bool))
    np.testing.assert_array_equal(nothing["places"], [0])
    assert packing.spread(packing.pack(x, nothing), nothing).shape == (2, 4, 3)
    empty = packing.packing_of(np.zeros((0, 4), bool))
    assert packing.pack(x[:0], empty).shape == (0, 3)
    assert packing.spread(packing.pack(x[:0], empty), empty).shape == (0, 4, 3)
