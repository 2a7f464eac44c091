"""Every layer keeps the contract on JAX too."""

import sys

import numpy as np
import pytest

from keras_transformer.layers import PositionalEncoding
from keras_transformer.testing.layer_contract import CHECKS, check_saving
from tests import reference
from tests.layers.cases import CASES

every_layer = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@every_layer
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_layer_keeps(case, check):
    check(case)


@every_layer
def test_layer_reloads_with_equal_outputs(case, tmp_path):
    check_saving(case, tmp_path)


def test_positions_are_exact():
    positions = np.arange(100_000, 100_007)
    encoded = PositionalEncoding()(np.zeros((1, 7, 511), "float32"), positions=positions)
    np.testing.assert_allclose(encoded[0], reference.positional_encoding(positions, 511), atol=1e-5)


def test_tensorflow_is_not_imported():
    assert "tensorflow" not in sys.modules
