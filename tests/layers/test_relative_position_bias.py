import keras
import numpy as np
import pytest

from keras_transformer.layers import EncoderBlock, RelativePositionBias
from tests import reference


def test_buckets_by_hand():
    """8 buckets: distances 0 and 1 alone, 2 and 3 together, 4 and more; behind the query with 4 added."""
    layer = RelativePositionBias(1, num_buckets=8, max_distance=8)
    layer.build((None, None, 3))
    layer.embeddings.assign(np.arange(8.0)[:, None])
    bias = np.asarray(layer(np.zeros((2, 11, 3), "float32")))
    assert bias.shape == (1, 1, 11, 11)
    np.testing.assert_array_equal(bias[0, 0, 0], [0, 5, 6, 6, 7, 7, 7, 7, 7, 7, 7])
    np.testing.assert_array_equal(bias[0, 0, 10], [3, 3, 3, 3, 3, 3, 3, 2, 2, 1, 0])
    np.testing.assert_array_equal(bias[0, 0, 5], [3, 3, 2, 2, 1, 0, 5, 6, 6, 7, 7])


def test_the_buckets_of_mpnet():
    """The last distances of the buckets 8 to 14, of 32 with a largest distance of 128: 8 * 16^(i / 8), rounded up."""
    layer = RelativePositionBias(1)
    layer.build((None, None, 3))
    layer.embeddings.assign(np.arange(32.0)[:, None])
    row = np.asarray(layer(np.zeros((1, 200, 3), "float32")))[0, 0, -1, ::-1]  # by distance
    np.testing.assert_array_equal(row[:8], np.arange(8))
    ends = [np.flatnonzero(row == bucket)[-1] for bucket in range(8, 15)]
    assert ends == [11, 15, 22, 31, 45, 63, 90]
    assert set(row[91:]) == {15}


def test_a_block_adds_it_to_its_scores():
    random = np.random.default_rng(0)
    x, bias = random.normal(size=(2, 5, 6)).astype("float32"), random.normal(size=(1, 2, 5, 5)).astype("float32")
    block = EncoderBlock(2, 7)
    block(x)
    reference.randomize(block)
    _, plain = block(x, return_attention_scores=True)
    _, biased = block(x, attention_bias=bias, return_attention_scores=True)
    wanted = np.asarray(plain) * np.exp(bias)
    np.testing.assert_allclose(biased, wanted / wanted.sum(-1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_heads": 0}, "num_heads=0"),
        ({"num_heads": 1, "num_buckets": 6}, "Expected a multiple of 4. Received: num_buckets=6"),
        ({"num_heads": 1, "max_distance": 8}, "max_distance=8"),
    ],
)
def test_bad_values(arguments, message):
    with pytest.raises(ValueError, match=message):
        RelativePositionBias(**arguments)


def test_a_symbolic_call_knows_that_it_is_in_float32():
    bias = RelativePositionBias(3, dtype="mixed_bfloat16")(keras.Input((7, 4)))
    assert bias.dtype == "float32" and bias.shape == (1, 3, 7, 7)
