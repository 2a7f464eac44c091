import keras
import numpy as np
import pytest

from keras_transformer.ops import attention, dense_attention, scaled_dot_product_attention
from tests import reference

B, T, S, H, D, DV = 2, 5, 7, 3, 4, 6
_random = np.random.default_rng(0)
QUERY = _random.normal(size=(B, T, H, D)).astype("float32")
KEY = _random.normal(size=(B, S, H, D)).astype("float32")
VALUE = _random.normal(size=(B, S, H, DV)).astype("float32")
MASK = _random.random((B, H, T, S)) < 0.6
MASK[0, 1, 2] = False  # one query of one head without any key


def expected(mask):
    context, weights = np.zeros((B, T, H, DV)), np.zeros((B, H, T, S))
    for b in range(B):
        for h in range(H):
            context[b, :, h], weights[b, h] = reference.attention(
                *(x[b, :, h].astype("float64") for x in (QUERY, KEY, VALUE)),
                None if mask is None else mask[b, h],
            )
    return context, weights


@pytest.mark.parametrize("mask", [None, MASK], ids=["no mask", "mask"])
def test_equals_numpy(mask):
    context, weights = scaled_dot_product_attention(QUERY, KEY, VALUE, mask, return_attention_scores=True)
    np.testing.assert_allclose(context, expected(mask)[0], atol=1e-6)
    np.testing.assert_allclose(weights, expected(mask)[1], atol=1e-6)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("few", [0, 2**16])
def test_one_query_equals_the_same_among_others(few, biased, masked, monkeypatch):
    """By sums where there are few keys, by products where there are more: in graphs that is chosen when they run."""
    monkeypatch.setattr(dense_attention, "_MOST_SUMMED", few)
    bias = np.log(_random.random((B, H, T, S))).astype("float32") if biased else None
    if biased:
        bias[:, :, :, 3] = -np.inf
    wanted = scaled_dot_product_attention(QUERY, KEY, VALUE, MASK if masked else None, bias)

    def attend(query, key, value, *masks):
        mask = masks[0] if masked else None
        return scaled_dot_product_attention(query, key, value, mask, masks[-1] if biased else None)

    for t in range(T):
        rows = [
            QUERY[:, t : t + 1],
            KEY,
            VALUE,
            *[x[:, :, t : t + 1] for x, used in ((MASK, masked), (bias, biased)) if used],
        ]
        np.testing.assert_allclose(attend(*rows), wanted[:, t : t + 1], atol=1e-6)
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        signature = [tf.TensorSpec([None, *x.shape[1:]], x.dtype) for x in rows]
        concrete = tf.function(attend, input_signature=signature).get_concrete_function()
        assert any("If" in operation.type for operation in concrete.graph.get_operations())
        np.testing.assert_allclose(concrete(*map(tf.constant, rows)), wanted[:, -1:], atol=1e-6)


@pytest.mark.parametrize("batch_size, length", [(0, 7), (2, 0), (0, 0)])
def test_one_query_over_nothing(batch_size, length):
    query, keys = np.zeros((batch_size, 1, H, D), "float32"), np.zeros((batch_size, length, H, D), "float32")
    context = keras.ops.convert_to_numpy(scaled_dot_product_attention(query, keys, keys))
    assert context.shape == query.shape and not context.any()


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="elsewhere there is one way")
def test_gradients_of_one_query(monkeypatch):
    import tensorflow as tf

    found = []
    for most in (0, 2**16):
        monkeypatch.setattr(dense_attention, "_MOST_SUMMED", most)
        parts = [tf.constant(x) for x in (QUERY[:, :1], KEY, VALUE)]
        with tf.GradientTape() as tape:
            tape.watch(parts)
            loss = tf.reduce_sum(scaled_dot_product_attention(*parts, mask=MASK[:, :, :1]) ** 2)
        found.append(tape.gradient(loss, parts))
    for by_products, by_sums in zip(*found):
        np.testing.assert_allclose(by_sums, by_products, atol=1e-5)
        assert np.abs(by_products).max() > 0.01


def test_one_query_in_bfloat16():
    parts = [keras.ops.cast(x, "bfloat16") for x in (QUERY[:, :1], KEY, VALUE)]
    context = scaled_dot_product_attention(*parts)
    assert keras.backend.standardize_dtype(context.dtype) == "bfloat16"
    np.testing.assert_allclose(keras.ops.cast(context, "float32"), expected(None)[0][:, :1], atol=0.02)


def test_a_query_without_keys_gets_exactly_zero():
    context = keras.ops.convert_to_numpy(scaled_dot_product_attention(QUERY, KEY, VALUE, MASK))
    assert (context[0, 2, 1] == 0).all()


def test_equals_keras_function_where_something_is_attended_to():
    value, mask = VALUE[..., :D], MASK.copy()
    mask[..., 0] = True
    assert not mask.all()
    ours = scaled_dot_product_attention(QUERY, KEY, value, mask)
    theirs = keras.ops.dot_product_attention(QUERY, KEY, value, mask=mask)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_by_hand():
    # d = 1; scores 0 and ln 3 give weights 1/4 and 3/4, of the values 8 and 4 that is 5.
    query, key = np.ones((1, 1, 1, 1)), np.array([0.0, np.log(3)]).reshape(1, 2, 1, 1)
    value = np.array([8.0, 4.0]).reshape(1, 2, 1, 1)
    assert float(scaled_dot_product_attention(query, key, value)[0, 0, 0, 0]) == pytest.approx(5.0)


def test_bias_is_added_to_the_scores():
    # The same, with the scores coming from the bias alone.
    zero, value = np.zeros((1, 2, 1, 1)), np.array([8.0, 4.0]).reshape(1, 2, 1, 1)
    bias = np.array([0.0, np.log(3)]).reshape(1, 1, 1, 2)
    context = scaled_dot_product_attention(zero[:, :1], zero, value, bias=bias)
    assert float(context[0, 0, 0, 0]) == pytest.approx(5.0)


def test_a_bias_of_minus_infinity_masks():
    bias = np.where(MASK, 0.0, -np.inf).astype("float32")
    context = np.asarray(scaled_dot_product_attention(QUERY, KEY, VALUE, bias=bias))
    seen = MASK.any(-1).transpose(0, 2, 1)
    np.testing.assert_allclose(context[seen], expected(MASK)[0][seen], atol=1e-6)
    assert np.isfinite(context).all()


def test_large_float16_scores_stay_finite():
    query = np.full((1, 1, 1, 64), 60.0, "float16")  # unscaled, the product would be 230,400
    context = scaled_dot_product_attention(query, query, query)
    assert context.dtype == "float16"
    np.testing.assert_array_equal(context, query)


@pytest.mark.parametrize("path", ["products", "sums", "blocks", "scores"])
def test_float16_scores_beyond_its_range(path, monkeypatch):
    """Two keys with scores of 8 * 1000^2 / sqrt(8) and the negative: the first value is all that is attended to."""
    monkeypatch.setattr(attention, "BLOCKWISE_FROM", 1 if path == "blocks" else 2**60)
    query = np.full((1, 1 if path == "sums" else 2, 1, 8), 1000.0, "float16")
    key = np.stack([query[:, 0], -query[:, 0]], axis=1)
    value = np.array([3.0, 5.0], "float16").reshape(1, 2, 1, 1)
    found = scaled_dot_product_attention(query, key, value, return_attention_scores=path == "scores")
    context, weights = found if path == "scores" else (found, np.array([1.0, 0.0]))
    np.testing.assert_array_equal(context, np.full((1, query.shape[1], 1, 1), 3.0))
    np.testing.assert_array_equal(np.broadcast_to(weights, (1, 1, 2, 2)), np.tile([1.0, 0.0], (1, 1, 2, 1)))


HIDDEN = np.arange(S) >= np.array([[[[4]]], [[[S]]]])  # the last three keys of the first sequence, (B, 1, 1, S)


@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("path", ["products", "sums", "blocks"])
def test_what_is_masked_may_hold_anything(path, garbage, monkeypatch):
    """Keys and values without queries, and queries without keys; gradients of them are zero."""
    monkeypatch.setattr(attention, "BLOCKWISE_FROM", 1 if path == "blocks" else 2**60)
    length = 1 if path == "sums" else T
    mask = np.broadcast_to(~HIDDEN, (B, 1, length, S)).copy()
    mask[0, 0, -1] = path == "sums"  # a query that sees all keys, or none
    mask[0, :, :, 4:] = False
    has_keys = mask.any(-1)[:, 0, :, None, None]
    spoiled = [
        np.where(ok, x, np.float32(garbage))
        for ok, x in ((has_keys, QUERY[:, :length]), *((~HIDDEN[:, 0, 0, :, None, None], x) for x in (KEY, VALUE)))
    ]
    clean = [np.where(np.isfinite(x), x, np.float32(0)) for x in spoiled]
    for found, wanted in zip(context_and_gradients(*spoiled, mask), context_and_gradients(*clean, mask)):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def context_and_gradients(query, key, value, mask):
    """The context and the gradients of the sum of its squares, as arrays."""

    def context(query, key, value):
        return scaled_dot_product_attention(query, key, value, mask)

    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        parts = [tf.constant(x) for x in (query, key, value)]
        with tf.GradientTape() as tape:
            tape.watch(parts)
            outputs = context(*parts)
            loss = tf.reduce_sum(outputs**2)
        return [outputs.numpy(), *(x.numpy() for x in tape.gradient(loss, parts))]
    import jax

    gradients = jax.grad(lambda *x: (context(*x) ** 2).sum(), argnums=(0, 1, 2))(query, key, value)
    return [np.asarray(context(query, key, value)), *map(np.asarray, gradients)]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((QUERY[0], KEY, VALUE), r"shape \(batch, length, heads, width\). Received: \(5, 3, 4\)"),
        ((QUERY, KEY[..., :3], VALUE), r"Received: .*\(2, 7, 3, 3\)"),
        ((QUERY, KEY, VALUE[:, :4]), r"Received: .*\(2, 4, 3, 6\)"),
        ((QUERY.astype("int32"), KEY, VALUE), "floating query, key and value. Received: dtypes int32, float32"),
        ((QUERY, KEY, VALUE, MASK.astype("int32")), "boolean mask.*dtype.*int32"),
        ((QUERY, KEY, VALUE, MASK[:, :, :3]), r"shape \(2, 3, 5, 7\). Received: shape=\(2, 3, 3, 7\)"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        scaled_dot_product_attention(*arguments)
