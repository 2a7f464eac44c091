import keras
import numpy as np
import pytest

from keras_transformer.layers import MultiHeadCrossAttention
from keras_transformer.ops import masks
from tests import reference

B, T, S, D, E, H = 2, 5, 7, 12, 10, 3
_random = np.random.default_rng(2)
X = _random.normal(size=(B, T, D)).astype("float32")
CONTEXT = _random.normal(size=(B, S, E)).astype("float32")
PADDING = np.arange(S) < np.array([[4], [7]])


@pytest.fixture
def attention():
    layer = MultiHeadCrossAttention(H)
    layer(X, CONTEXT)
    reference.randomize(layer)
    return layer


def test_equals_numpy(attention):
    weights = reference.attention_weights_by_name(attention)
    outputs = attention(X, CONTEXT, context_padding_mask=PADDING)
    for b in range(B):
        mask = np.tile(PADDING[b], (T, 1))
        wanted = reference.multi_head_attention(X[b].astype("float64"), CONTEXT[b].astype("float64"), weights, mask)
        np.testing.assert_allclose(outputs[b], wanted, atol=1e-5)


def test_equals_keras_on_copied_weights(attention):
    theirs = keras.layers.MultiHeadAttention(H, D // H)
    theirs.build(X.shape, CONTEXT.shape)
    reference.copy_to_keras(attention, theirs)
    wanted = theirs(X, CONTEXT, attention_mask=PADDING[:, None, :])
    np.testing.assert_allclose(attention(X, CONTEXT, context_padding_mask=PADDING), wanted, atol=1e-5)


def test_cached_equals_uncached_and_needs_no_context(attention):
    whole = attention(X, CONTEXT, context_padding_mask=PADDING)
    cache = attention.make_cache(keras.ops.convert_to_tensor(CONTEXT))
    assert tuple(cache.key.shape) == (B, H, S, D // H)
    for t in range(T):
        outputs = attention(X[:, t : t + 1], cache=cache, context_padding_mask=PADDING)
        np.testing.assert_allclose(outputs[:, 0], whole[:, t], atol=1e-5)


def test_scores_are_returned(attention):
    _, scores = attention(X, CONTEXT, context_padding_mask=PADDING, return_attention_scores=True)
    assert scores.shape == (B, H, T, S)
    np.testing.assert_allclose(np.sum(scores, axis=-1), 1.0, atol=1e-6)
    assert (np.asarray(scores)[0, :, :, 4:] == 0).all()


def test_context_mask_survives_a_stack_of_layers():
    """keras.layers.MultiHeadAttention takes the mask off its inputs; the second layer then sees padding."""
    context = keras.layers.Masking(9.0)(np.where(PADDING[..., None], CONTEXT, np.float32(9.0)))
    first, second = MultiHeadCrossAttention(H), MultiHeadCrossAttention(H)
    first(X, context)
    _, scores = second(X, context, return_attention_scores=True)
    assert (np.asarray(scores)[0, :, :, 4:] == 0).all()


@pytest.mark.parametrize("garbage", [np.nan, np.inf])
def test_a_cache_of_a_context_whose_padding_holds_anything(attention, garbage):
    """Whether the cache is told of the padding, by an explicit mask or the context's own, or only the call is."""
    wanted = attention(X[:, :1], CONTEXT, context_padding_mask=PADDING)
    context = keras.ops.convert_to_tensor(np.where(PADDING[..., None], CONTEXT, np.float32(garbage)))
    told = attention.make_cache(context, context_padding_mask=PADDING)
    untold = attention.make_cache(context)
    np.testing.assert_allclose(attention(X[:, :1], cache=told), wanted, atol=1e-5)
    np.testing.assert_allclose(attention(X[:, :1], cache=untold, context_padding_mask=PADDING), wanted, atol=1e-5)
    masks.attach(context, keras.ops.convert_to_tensor(PADDING))
    np.testing.assert_allclose(attention(X[:, :1], cache=attention.make_cache(context)), wanted, atol=1e-5)


def test_a_call_narrows_the_mask_of_its_cache(attention):
    fewer = PADDING & (np.arange(S) != 1)
    cache = attention.make_cache(CONTEXT, context_padding_mask=PADDING)
    wanted = attention(X, CONTEXT, context_padding_mask=fewer)
    np.testing.assert_allclose(attention(X, cache=cache, context_padding_mask=fewer), wanted, atol=1e-5)


def test_bad_calls(attention):
    with pytest.raises(ValueError, match="MultiHeadCrossAttention expected equal batch .* inputs: 2, context: 1"):
        attention(X, CONTEXT[:1])
    with pytest.raises(ValueError, match="equal batch sizes. Received: inputs: 1, cache: 2"):
        attention(X[:1], cache=attention.make_cache(CONTEXT))
    with pytest.raises(ValueError, match="context or cache"):
        attention(X)
    with pytest.raises(ValueError, match=r"context_padding_mask of shape \(2, 7\)"):
        attention(X, CONTEXT, context_padding_mask=PADDING[:, :3])
    with pytest.raises(ValueError, match=r"padding_mask of shape \(2, 5\)"):
        attention(X, CONTEXT, padding_mask=np.ones((B, 99), bool))
