import keras
import numpy as np
import pytest
from keras import ops

from keras_transformer.layers import PositionalEncoding
from tests import reference


@pytest.mark.parametrize("width", [1, 2, 7, 128, 511, 512])
@pytest.mark.parametrize("first", [0, 99_998, 16_777_209])
def test_equals_the_paper_in_float64(width, first):
    positions = np.arange(first, first + 7)
    encoded = PositionalEncoding()(np.zeros((1, 7, width), "float32"), positions=positions)
    np.testing.assert_allclose(encoded[0], reference.positional_encoding(positions, width), atol=1e-5)


def test_by_hand():
    encoded = PositionalEncoding(max_wavelength=100.0)(np.ones((1, 2, 4), "float32"))
    # Position 1: angles 1 and 1 / 100^(2/4) = 0.1.
    wanted = [[1, 2, 1, 2], 1 + np.array([np.sin(1), np.cos(1), np.sin(0.1), np.cos(0.1)])]
    np.testing.assert_allclose(encoded[0], wanted, atol=1e-6)


def test_positions_for_each_sequence():
    zeros = np.zeros((2, 3, 8), "float32")
    positions = np.array([[5, 6, 7], [0, 1, 0]])
    encoded = PositionalEncoding()(zeros, positions=positions)
    for row in range(2):
        wanted = reference.positional_encoding(positions[row], 8)
        np.testing.assert_allclose(encoded[row], wanted, atol=1e-6)


def test_neighbouring_rows_differ_in_bfloat16():
    encoded = PositionalEncoding(dtype="mixed_bfloat16")(np.zeros((1, 512, 512), "float32"))
    rows = np.asarray(ops.cast(encoded[0], "float32"))
    assert (np.abs(np.diff(rows, axis=0)).max(axis=1) > 0).all()
    wanted = reference.positional_encoding(range(512), 512)
    assert np.abs(rows - wanted).max() < 2**-8  # half a unit in the last place of bfloat16 below 1


def test_implicit_mask_passes():
    ids = np.array([[4, 5, 0]])
    embedded = keras.layers.Embedding(9, 4, mask_zero=True)(ids)
    np.testing.assert_array_equal(PositionalEncoding()(embedded)._keras_mask, ids != 0)


@pytest.mark.parametrize("wavelength", [0, -1.0, float("inf"), "long"])
def test_bad_wavelength(wavelength):
    with pytest.raises(ValueError, match="Received: max_wavelength="):
        PositionalEncoding(wavelength)


@pytest.mark.parametrize("positions", [np.arange(4), np.zeros((2, 3), int), np.zeros(3)])
def test_bad_positions(positions):
    with pytest.raises(ValueError, match=r"integer positions of shape \(3,\) or \(1, 3\)"):
        PositionalEncoding()(np.zeros((1, 3, 4), "float32"), positions=positions)


@pytest.mark.parametrize("width", [6, 7])
def test_sines_first_then_cosines(width):
    zeros = np.zeros((1, 9, width), "float32")
    interleaved = reference.positional_encoding(range(9), width)
    halves = np.concatenate([interleaved[:, 0::2], interleaved[:, 1::2]], axis=1)
    np.testing.assert_allclose(PositionalEncoding(layout="halves")(zeros)[0], halves, atol=1e-6)
    with pytest.raises(ValueError, match="layout='thirds'"):
        PositionalEncoding(layout="thirds")
