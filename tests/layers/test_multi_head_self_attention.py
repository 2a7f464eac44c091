import keras
import numpy as np
import pytest
from keras import ops

from keras_transformer.layers import MultiHeadSelfAttention, Unpad
from keras_transformer.ops import FixedKeyValueCache
from tests import reference

B, T, D, H = 2, 5, 12, 3
X = np.random.default_rng(1).normal(size=(B, T, D)).astype("float32")
PADDING = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)


@pytest.fixture
def attention():
    layer = MultiHeadSelfAttention(H)
    layer(X)
    reference.randomize(layer)
    return layer


def test_equals_numpy(attention):
    weights = reference.attention_weights_by_name(attention)
    outputs = attention(X, padding_mask=PADDING)
    for b in range(B):
        mask = np.tile(PADDING[b], (T, 1))
        wanted = reference.multi_head_attention(X[b].astype("float64"), X[b], weights, mask)
        np.testing.assert_allclose(outputs[b][PADDING[b]], wanted[PADDING[b]], atol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_equals_keras_on_copied_weights(attention, causal):
    theirs = keras.layers.MultiHeadAttention(H, D // H)
    theirs.build(X.shape, X.shape)
    reference.copy_to_keras(attention, theirs)
    mask = PADDING[:, None, :]
    wanted, wanted_scores = theirs(X, X, attention_mask=mask, use_causal_mask=causal, return_attention_scores=True)
    outputs, scores = attention(X, padding_mask=PADDING, use_causal_mask=causal, return_attention_scores=True)
    np.testing.assert_allclose(outputs[PADDING], wanted[PADDING], atol=1e-5)
    real = np.broadcast_to(PADDING[:, None, :, None], scores.shape)
    np.testing.assert_allclose(scores[real], wanted_scores[real], atol=1e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_nothing_to_attend_to_gives_the_output_bias(attention, policy):
    layer = MultiHeadSelfAttention(H, dtype=policy)
    layer.build(X.shape)
    layer.set_weights(attention.get_weights())
    outputs = layer(X, padding_mask=np.zeros((B, T), bool))
    bias = ops.cast(ops.cast(layer.output_projection.bias, layer.compute_dtype), "float32")
    np.testing.assert_array_equal(ops.cast(outputs, "float32"), np.tile(bias, (B, T, 1)))


def test_attention_masks_of_two_three_and_four_axes_agree(attention):
    mask = np.tril(np.ones((T, T), bool))
    two = attention(X, attention_mask=mask)
    np.testing.assert_array_equal(two, attention(X, attention_mask=np.tile(mask, (B, 1, 1))))
    np.testing.assert_array_equal(two, attention(X, attention_mask=np.tile(mask, (B, H, 1, 1))))
    np.testing.assert_array_equal(two, attention(X, use_causal_mask=True))


def test_cached_positions_that_no_query_sees_may_hold_anything(attention):
    """The second of three written at once is masked, then and later."""
    spoiled = X[:, :4].copy()
    spoiled[:, 1] = np.nan
    seen = np.arange(4) != 1
    clean = np.where(np.isfinite(spoiled), spoiled, 0)
    wanted = attention(clean, attention_mask=np.tril(np.ones((4, 4), bool)) & seen)
    for cache in (attention.make_cache(B, 4), attention.make_cache(B)):
        length = 4 if isinstance(cache, FixedKeyValueCache) else 3
        outputs, cache = attention(
            spoiled[:, :3], attention_mask=np.tile(seen[:length], (3, 1)), cache=cache, cache_index=0
        )
        np.testing.assert_allclose(np.asarray(outputs)[:, ::2], np.asarray(wanted)[:, :3:2], atol=1e-5)
        outputs, _ = attention(spoiled[:, 3:], attention_mask=seen[None], cache=cache, cache_index=3)
        np.testing.assert_allclose(outputs[:, 0], wanted[:, 3], atol=1e-5)


def test_cached_equals_uncached(attention):
    whole = attention(X, use_causal_mask=True)
    for cache in (attention.make_cache(B, T + 2), attention.make_cache(B)):
        steps = []
        for start, stop in ((0, 2), (2, 3), (3, 5)):  # several positions at once, and one
            outputs, cache = attention(X[:, start:stop], cache=cache, cache_index=start)
            steps.append(outputs)
        np.testing.assert_allclose(np.concatenate(steps, axis=1), whole, atol=1e-5)


def test_dropout_acts_on_the_attention_weights_in_training_only():
    layer = MultiHeadSelfAttention(H, dropout=0.5)
    still = layer(X)
    np.testing.assert_array_equal(layer(X, training=False), still)
    assert np.abs(layer(X, training=True) - still).max() > 1e-3


def test_fused_kernel_is_initialised_as_three():
    layer = MultiHeadSelfAttention(4)
    layer(np.zeros((1, 2, 64), "float32"))
    query, key, value = np.split(layer.query_key_value.kernel.numpy(), 3, axis=-1)
    limit = np.sqrt(6 / (64 + 64))  # Glorot uniform of one matrix
    for part in (query, key, value):
        assert 0.95 * limit < np.abs(part).max() <= limit
        assert part.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    assert not np.allclose(query, key) and not np.allclose(key, value)


@pytest.mark.parametrize(
    "config, message",
    [
        ({"num_heads": 0}, "positive integer. Received: num_heads=0"),
        ({"num_heads": 2.0}, "Received: num_heads=2.0"),
        ({"num_heads": 2, "key_dim": -1}, "Received: key_dim=-1"),
        ({"num_heads": 2, "dropout": 1.0}, r"\[0, 1\). Received: dropout=1.0"),
        ({"num_heads": 5}, "divide the width 12 .*Received: num_heads=5"),
    ],
)
def test_bad_arguments(config, message):
    with pytest.raises(ValueError, match=message):
        MultiHeadSelfAttention(**config)(X)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"padding_mask": np.ones((B, T), "int32")}, "boolean mask .*padding_mask of dtype"),
        ({"padding_mask": np.ones((B, T + 1), bool)}, r"padding_mask of shape \(2, 5\)"),
        ({"padding_mask": np.ones((B, 1), bool)}, r"padding_mask of shape \(2, 5\)"),
        ({"mask": np.ones((B, T), "int32")}, "boolean mask .*mask of dtype"),
        ({"attention_mask": np.ones((B, T, T - 1), bool)}, r"Received: shape=\(2, 5, 4\)"),
        ({"attention_mask": np.ones((B, T, T), "float32")}, "attention_mask of dtype"),
    ],
)
def test_bad_masks(attention, arguments, message):
    with pytest.raises(ValueError, match=message):
        attention(X, **arguments)


def test_bad_inputs(attention):
    with pytest.raises(ValueError, match="rank 3 with a known last dimension"):
        MultiHeadSelfAttention(H)(X[0])
    with pytest.raises(ValueError, match="rank 2 or 3 with a known last dimension"):
        MultiHeadSelfAttention(H).build((None, D, None))
    unpadded, layout = Unpad()(X)
    with pytest.raises(ValueError, match="Received: unpadded ones, with a layout"):
        attention(unpadded, layout=layout, cache=attention.make_cache(B, T), cache_index=0)
    with pytest.raises(ValueError, match="cache_index"):
        attention(X[:, :1], cache=attention.make_cache(B, T))
    for index in (-1, 3):
        with pytest.raises(ValueError, match=f"2 new positions within a cache of 4. Received: cache_index={index}"):
            attention(X[:, :2], cache=attention.make_cache(B, 4), cache_index=index)
