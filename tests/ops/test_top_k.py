import numpy as np
import pytest
from keras import ops

from keras_transformer.ops.top_k import rows_of, select, take_rows, top_k

MANY = 4001  # tokens: enough to look at groups of logits, the last of them not full


@pytest.mark.parametrize("vocabulary_size", [5, 700, 3072, MANY])
@pytest.mark.parametrize("k", [1, 4, 5])
def test_top_k_is_a_stable_sort(vocabulary_size, k):
    """Among equal ones the lower index comes first, and there are many here."""
    logits = np.random.default_rng(k).integers(0, 9, (3, 2, vocabulary_size)).astype("float32")
    logits[0] = -np.inf
    values, indices = top_k(ops.convert_to_tensor(logits), k)
    wanted = np.argsort(-logits, axis=-1, kind="stable")[..., :k]
    np.testing.assert_array_equal(indices, wanted)
    np.testing.assert_array_equal(values, np.take_along_axis(logits, wanted, axis=-1))


def test_select_takes_along_the_last_axis():
    values = np.arange(12.0).reshape(2, 2, 3)
    indices = np.array([[[2, 0], [1, 1]], [[0, 0], [2, 1]]])
    found = select(ops.convert_to_tensor(values), ops.convert_to_tensor(indices, "int32"))
    np.testing.assert_array_equal(found, np.take_along_axis(values, indices, axis=-1))


def test_rows_of_each_sentence():
    indices = ops.convert_to_tensor([[1, 1, 0], [2, 0, 1]], "int32")
    np.testing.assert_array_equal(rows_of(indices, 3), [[1, 1, 0], [5, 3, 4]])
    x = np.arange(18).reshape(2, 3, 3)
    np.testing.assert_array_equal(take_rows(ops.convert_to_tensor(x), indices), x.reshape(6, 3)[[[1, 1, 0], [5, 3, 4]]])
