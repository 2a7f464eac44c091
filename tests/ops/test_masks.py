import numpy as np
import pytest

from keras_transformer.ops import masks


def test_causal_by_hand():
    np.testing.assert_array_equal(masks.causal(2, 4, first_query=1)[0, 0], [[1, 1, 0, 0], [1, 1, 1, 0]])


def test_combine():
    a, b = np.array([1, 1, 0], bool), np.array([1, 0, 1], bool)
    assert masks.combine(None, None) is None
    np.testing.assert_array_equal(masks.combine(None, a), a)
    np.testing.assert_array_equal(masks.combine(a, None, b), [1, 0, 0])


def test_forms():
    padding = np.array([[1, 0]], bool)
    assert masks.from_padding(padding).shape == (1, 1, 1, 2)
    assert masks.from_attention(np.ones((3, 2), bool)).shape == (1, 1, 3, 2)
    assert masks.from_attention(np.ones((5, 3, 2), bool)).shape == (5, 1, 3, 2)
    assert masks.from_attention(np.ones((5, 7, 3, 2), bool)).shape == (5, 7, 3, 2)


def test_check_names_the_argument_and_the_shapes():
    with pytest.raises(ValueError, match=r"my_mask of shape \(2, None\) or \(3,\). Received: shape=\(4, 5\)"):
        masks.check("my_mask", np.ones((4, 5), bool), (2, None), (3,))
