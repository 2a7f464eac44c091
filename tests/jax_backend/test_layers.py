"""Every layer keeps the contract on JAX too."""

import sys

import numpy as np

from keras_transformer.layers import PositionalEncoding
from tests import reference
from tests.layers.test_contract import test_layer_keeps, test_layer_reloads_with_equal_outputs  # noqa: F401


def test_positions_are_exact():
    positions = np.arange(100_000, 100_007)
    encoded = PositionalEncoding()(np.zeros((1, 7, 511), "float32"), positions=positions)
    np.testing.assert_allclose(encoded[0], reference.positional_encoding(positions, 511), atol=1e-5)


def test_tensorflow_is_not_imported():
    assert "tensorflow" not in sys.modules
