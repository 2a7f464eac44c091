import numpy as np
import pytest

from keras_transformer.ops.unpadding import TokenLayout

MASK = np.array([[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]], bool)


def test_places_and_rows_by_hand():
    found = TokenLayout.unpadded(MASK)
    np.testing.assert_array_equal(found.places, [0, 1, 5, 7, 12, 13, 14, 15])
    # Of padding: the token before, wherever that is.
    np.testing.assert_array_equal(found.rows, [[0, 1, 1, 1], [1, 2, 2, 3], [3, 3, 3, 3], [4, 5, 6, 7]])


@pytest.mark.parametrize("first", [0, 1])
def test_repad_brings_back_what_unpad_took(first):
    x = np.random.default_rng(0).normal(size=(4, 4, 3)).astype("float32")
    layout = TokenLayout.unpadded(MASK[first:])
    tokens = layout.unpad(x[first:])
    np.testing.assert_array_equal(tokens, x[first:][MASK[first:]])
    np.testing.assert_array_equal(np.asarray(layout.repad(tokens))[MASK[first:]], tokens)


def test_padding_alone_and_no_text_at_all():
    x = np.ones((2, 4, 3), "float32")
    nothing = TokenLayout.unpadded(np.zeros((2, 4), bool))
    np.testing.assert_array_equal(nothing.places, [0])
    assert nothing.repad(nothing.unpad(x)).shape == (2, 4, 3)
    empty = TokenLayout.unpadded(np.zeros((0, 4), bool))
    assert empty.unpad(x[:0]).shape == (0, 3)
    assert empty.repad(empty.unpad(x[:0])).shape == (0, 4, 3)


def test_a_padded_batch_is_the_identity():
    x = np.array([[[1.0], [np.nan]]])
    layout = TokenLayout(np.array([[True, False]]))
    assert layout.is_padded and layout.unpad(x) is x and layout.repad(x) is x and layout.batch_of(x) is x
    np.testing.assert_array_equal(layout.zero_padding(x), [[[1.0], [0.0]]])
    assert TokenLayout().zero_padding(x) is x


def test_unpadded_tokens_have_no_padding_to_zero():
    layout = TokenLayout.unpadded(MASK)
    tokens = layout.unpad(np.ones((4, 4, 1)))
    assert layout.zero_padding(tokens) is tokens
    assert layout.batch_of(tokens).shape == (4, 4)
