import keras
import numpy as np
import pytest

from keras_transformer.layers import MultiHeadSelfAttention
from keras_transformer.layers.multi_head_attention import all_of, merge_heads, project, split_heads, with_extras
from keras_transformer.ops import FixedKeyValueCache

X = np.random.default_rng(2).normal(size=(2, 5, 12)).astype("float32")


@pytest.mark.parametrize("length", [1, 5])
def test_heads_are_split_as_the_fused_kernel_has_them_and_merged_again(length):
    """Side by side stand the parts, in each of them the heads."""
    parts = split_heads(X[:, :length], 2, 3)
    for i, part in enumerate(parts):
        assert part.shape == (2, 3, length, 2)
        for head in range(3):
            start = i * 6 + head * 2
            np.testing.assert_array_equal(part[:, head], X[:, :length, start : start + 2])
        np.testing.assert_array_equal(merge_heads(part), X[:, :length, i * 6 : i * 6 + 6])


def test_projection_of_padded_and_unpadded_tokens():
    dense = keras.layers.Dense(7)
    whole = project(dense, X)
    assert whole.shape == (2, 5, 7)
    np.testing.assert_allclose(project(dense, X.reshape(10, 12)), np.reshape(whole, (10, 7)), atol=1e-6)


def test_extras_that_are_there():
    cache = FixedKeyValueCache(1, 2)
    assert with_extras("x", None, None) == "x" and with_extras("x", cache, None) == ("x", cache)
    assert all_of("x") == ("x",) and all_of(("x", cache)) == ("x", cache)


def test_heads_that_do_not_divide_the_width():
    with pytest.raises(ValueError, match="num_heads to divide the width 12 .* Received: num_heads=5"):
        MultiHeadSelfAttention(5)(X)
