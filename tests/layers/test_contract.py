"""Every layer keeps the contract."""

import keras
import pytest

from keras_transformer import layers
from keras_transformer.testing.layer_contract import CHECKS, check_saving
from tests.layers.cases import CASES

every_layer = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@every_layer
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_layer_keeps(case, check):
    check(case)


@every_layer
def test_layer_reloads_with_equal_outputs(case, tmp_path):
    check_saving(case, tmp_path)


def test_no_layer_is_left_out():
    # What these two give, or take, has another shape than the contract's (B, T, ...).
    others = {layers.Unpad, layers.Repad}
    classes = {getattr(layers, name) for name in layers.__all__}
    public = {c for c in classes if isinstance(c, type) and issubclass(c, keras.layers.Layer)}
    assert {case.layer_class for case in CASES.values()} >= public - others
