import numpy as np
import pytest

from keras_transformer.ops.token_ids import check


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "float32"])
def test_known_ids_pass(dtype):
    check(np.array([[0, 5], [99, 1]], dtype), 100)


@pytest.mark.parametrize(
    "ids, unknown",
    [([3, 100], "100"), ([-1, 3], "-1"), ([1.5, 3.0], "1.5"), ([float("nan")], "nan")],
)
def test_unknown_ones_are_named(ids, unknown):
    with pytest.raises(ValueError, match=rf"Expected labels in \[0, 100\). Received: {unknown}"):
        check(np.array(ids), 100, "labels")


def test_a_vocabulary_larger_than_the_dtype():
    check(np.array([127], "int8"), 1000)
    with pytest.raises(ValueError, match="Received: -3"):
        check(np.array([-3], "int8"), 1000)
