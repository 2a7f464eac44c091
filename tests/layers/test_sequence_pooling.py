import numpy as np
import pytest

from keras_transformer.layers import SequencePooling

X = np.array([[[1.0, -8.0], [3.0, -4.0], [99.0, 99.0]], [[5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]], "float32")
MASK = np.array([[1, 1, 0], [1, 1, 1]], bool)
BY_HAND = {
    "sum": [[4, -12], [21, 24]],
    "mean": [[2, -6], [7, 8]],
    "sqrtn": [[4 / 2**0.5, -12 / 2**0.5], [21 / 3**0.5, 24 / 3**0.5]],
    "max": [[3, -4], [9, 10]],
    "first": [[1, -8], [5, 6]],
}


@pytest.mark.parametrize("mode", BY_HAND)
def test_by_hand(mode):
    np.testing.assert_allclose(SequencePooling(mode)(X, padding_mask=MASK), BY_HAND[mode], rtol=1e-6)


@pytest.mark.parametrize("mode", BY_HAND)
def test_no_real_position_gives_zero(mode):
    np.testing.assert_array_equal(SequencePooling(mode)(X, padding_mask=np.zeros((2, 3), bool)), np.zeros((2, 2)))


@pytest.mark.parametrize("mode", BY_HAND)
def test_padding_may_hold_anything(mode):
    spoiled = np.where(MASK[..., None], X, np.float32("inf"))
    np.testing.assert_allclose(SequencePooling(mode)(spoiled, padding_mask=MASK), BY_HAND[mode], rtol=1e-6)


@pytest.mark.parametrize("mode", BY_HAND)
def test_nothing_to_pool(mode):
    np.testing.assert_array_equal(SequencePooling(mode)(np.zeros((2, 0, 3), "float32")), np.zeros((2, 3)))
    assert SequencePooling(mode)(np.zeros((0, 4, 3), "float32")).shape == (0, 3)


def test_the_maximum_may_be_infinite():
    x = np.where(MASK[..., None], -np.float32("inf"), X)
    np.testing.assert_array_equal(SequencePooling("max")(x, padding_mask=MASK), np.full((2, 2), -np.inf))


def test_first_is_the_first_real_position():
    mask = np.array([[0, 1, 1], [0, 0, 1]], bool)
    np.testing.assert_array_equal(SequencePooling("first")(X, padding_mask=mask), [[3, -4], [9, 10]])


def test_float16_sums_in_float32():
    x = np.full((1, 100, 1), 1000.0, "float32")  # the sum would overflow float16
    assert float(SequencePooling("mean", dtype="mixed_float16")(x)[0, 0]) == 1000.0


def test_bad_mode():
    with pytest.raises(ValueError, match="one of .*sqrtn.*Received: mode='avg'"):
        SequencePooling("avg")
