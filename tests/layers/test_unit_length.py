import numpy as np
import pytest
from keras import ops

from keras_transformer.layers import UnitLength


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_by_hand(policy):
    vectors = UnitLength(dtype=policy)(ops.convert_to_tensor([[3.0, 4.0], [0.0, 0.0], [0.0, -2.0]]))
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0, 0], [0, -1]], atol=1e-6)


def test_unknown_width():
    with pytest.raises(ValueError, match="UnitLength expected inputs with a known last dimension"):
        UnitLength().build((None, None))
