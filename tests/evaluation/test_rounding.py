import math

import numpy as np
import pytest

from keras_transformer.evaluation.rounding import rounded


@pytest.mark.parametrize(
    "value, digits, shown",
    [
        (-0.001, 2, "0.00"),
        (-0.0, 2, "0.00"),
        (np.float32(-0.004), 2, "0.00"),
        (-0.006, 2, "-0.01"),
        (0.125, 2, "0.12"),  # as format does
        (-0.00004, 4, "0.0000"),
        (math.nan, 2, "nan"),
        (-math.inf, 2, "-inf"),
    ],
)
def test_zero_has_no_sign(value, digits, shown):
    assert f"{rounded(value, digits):.{digits}f}" == shown
