import keras
import numpy as np
import pytest
from keras import ops

from keras_transformer.layers import MultiHeadCrossAttention, MultiHeadSelfAttention
from keras_transformer.ops import attention, masks
from keras_transformer.ops.blockwise_attention import blockwise_attention
from keras_transformer.ops.dense_attention import scaled, softmax_weights, weighted_values
from keras_transformer.testing import backends
from keras_transformer.testing.layer_contract import (
    check_compiled,
    check_fully_masked,
    check_future,
    check_gradients,
    check_padding,
    check_precision,
)
from tests import operations
from tests.layers.cases import CASES

B, T, H, D, DV, BLOCK = 2, 13, 3, 5, 7, 2  # with 4 causal parts of 4, 4, 4 and 1 queries, whose last block is not full
_random = np.random.default_rng(9)


def tensors(num_keys, value_width=DV):
    """Query, key, value, and what the context is multiplied with for a loss."""
    widths = (T, D), (num_keys, D), (num_keys, value_width), (T, value_width)
    return [_random.normal(size=(B, H, *width)).astype("float32") for width in widths]


def made_mask(*shape):
    mask = _random.random(shape) < 0.6
    mask[0, 0, 0] = False  # a query without keys; where all share a row, a sequence of padding
    return mask


MASKS = {
    "no mask": lambda num_keys: None,
    "padding": lambda num_keys: made_mask(B, 1, 1, num_keys),
    "of all queries and keys": lambda num_keys: made_mask(1, 1, T, num_keys),
    "of heads": lambda num_keys: made_mask(B, H, T, num_keys),
    "of queries": lambda num_keys: made_mask(B, 1, T, 1),
}


def plain(query, key, value, mask=None, causal=False):
    mask = masks.with_causal(mask, query, key) if causal else mask
    weights = masks.zero_without_keys(softmax_weights(scaled(query), key, mask), mask)
    return weighted_values(weights, value)


def in_blocks(*arguments):
    return blockwise_attention(*arguments, block_length=BLOCK)


def context_and_gradients(function, query, key, value, upstream, mask, causal, mode):
    """The context and the gradients of sum(context * upstream), computed eagerly, as a graph or by XLA."""
    mask = () if mask is None else (mask,)

    def context(query, key, value, *mask):
        return function(query, key, value, *(mask or (None,)), causal)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        def call(query, key, value, *mask):
            with tf.GradientTape() as tape:
                tape.watch((query, key, value))
                outputs = context(query, key, value, *mask)
            return outputs, *tape.gradient(outputs, (query, key, value), output_gradients=tf.constant(upstream))

        if mode != "eager":
            call = tf.function(call, jit_compile=mode == "XLA")
        found = call(*map(tf.constant, (query, key, value, *mask)))
    else:
        import jax

        def call(query, key, value, *mask):
            outputs, pull_back = jax.vjp(lambda *x: context(*x, *mask), query, key, value)
            return outputs, *pull_back(ops.convert_to_tensor(upstream))

        call = call if mode == "eager" else jax.jit(call)
        found = call(*map(ops.convert_to_tensor, (query, key, value, *mask)))
    return [np.asarray(x) for x in found]


# Each mask in a graph. By XLA, which compiles for seconds: no mask, one that is cut into blocks, one that is not.
EQUAL_PLAIN = [
    *((name, num_keys, causal, "graph") for name in MASKS for num_keys, causal in ((T, True), (17, False))),
    ("no mask", T, False, "graph"),
    ("no mask", T, True, "XLA"),
    ("of heads", T, True, "XLA"),
    ("padding", 17, False, "XLA"),
]


@pytest.mark.parametrize("mask, num_keys, causal, mode", EQUAL_PLAIN)
def test_context_and_gradients_equal_plain(mask, num_keys, causal, mode):
    arguments = *tensors(num_keys), MASKS[mask](num_keys), causal
    expected = context_and_gradients(plain, *arguments, "eager")
    for name, found, wanted in zip(
        ("context", "query", "key", "value"), context_and_gradients(in_blocks, *arguments, mode), expected
    ):
        assert np.abs(wanted).max() > 0.1
        np.testing.assert_allclose(found, wanted, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("value_width", [D - 2, D])
def test_values_narrower_than_queries_or_as_wide(value_width):
    arguments = *tensors(T, value_width), None, False
    for found, wanted in zip(
        context_and_gradients(in_blocks, *arguments, "graph"), context_and_gradients(plain, *arguments, "eager")
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("dtype, tolerance", [("bfloat16", 0.05), ("float16", 0.006)])
def test_lower_precisions(dtype, tolerance):
    *exact, upstream = tensors(T)
    mask = made_mask(B, 1, T, T)
    wanted = context_and_gradients(plain, *exact, upstream, mask, True, "eager")

    def rounded(*arguments):
        query, key, value, *rest = arguments
        context = in_blocks(*(ops.cast(x, dtype) for x in (query, key, value)), *rest)
        assert keras.backend.standardize_dtype(context.dtype) == dtype
        return ops.cast(context, "float32")

    for one, other in zip(context_and_gradients(rounded, *exact, upstream, mask, True, "graph"), wanted):
        np.testing.assert_allclose(one, other, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_query_without_keys_gets_exactly_zero_and_gives_no_gradient(dtype):
    *inputs, upstream = tensors(T)
    mask = np.ones((B, 1, 1, T), bool)
    mask[1] = False
    cast = lambda query, key, value, *rest: ops.cast(  # noqa: E731
        in_blocks(*(ops.cast(x, dtype) for x in (query, key, value)), *rest), "float32"
    )
    for found in context_and_gradients(cast, *inputs, upstream, mask, False, "graph"):
        assert (found[1] == 0).all() and np.abs(found[0]).max() > 0.1


@pytest.fixture
def paths(monkeypatch):
    """Has all attention that may be in blocks be so, and lists the shapes of the queries that were."""
    shapes = []

    def recorded(query, *arguments):
        shapes.append(tuple(query.shape))
        return in_blocks(query, *arguments)

    monkeypatch.setattr(attention, "BLOCKWISE_FROM", 1)
    monkeypatch.setattr(attention, "blockwise_attention", recorded)
    return shapes


ATTENTION_CASES = ("MultiHeadSelfAttention causal", "MultiHeadCrossAttention")


@pytest.mark.parametrize("name", ATTENTION_CASES)
@pytest.mark.parametrize(
    "check", [check_padding, check_fully_masked, check_future, check_precision, check_compiled, check_gradients]
)
def test_layers_in_blocks_keep_the_contract(paths, name, check):
    check(CASES[name])
    assert paths or (check is check_future and not CASES[name].causal)


def test_an_implicit_mask_reaches_the_blocks(paths, monkeypatch):
    x = _random.normal(size=(B, T, 6)).astype("float32")
    x[0, 9:] = 0
    masked = keras.layers.Masking()(x)
    layer = MultiHeadSelfAttention(H)
    found = layer(masked, use_causal_mask=True)
    assert paths[-1] == (B, H, T, 2)
    monkeypatch.setattr(attention, "BLOCKWISE_FROM", T * T + 1)
    wanted = layer(masked, use_causal_mask=True)
    assert paths == [(B, H, T, 2)]
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert np.abs(np.asarray(found - layer(x, use_causal_mask=True, mask=np.ones((B, T), bool)))).max() > 1e-3


def test_what_needs_all_scores_is_not_in_blocks(paths):
    x = _random.normal(size=(B, T, 6)).astype("float32")
    layer = MultiHeadSelfAttention(H, dropout=0.5)
    layer(x, return_attention_scores=True)
    layer(x, training=True)
    layer(x, attention_bias=np.zeros((1, 1, T, T), "float32"))
    assert not paths
    layer(x, training=False)
    assert paths == [(B, H, T, 2)]


def test_few_scores_are_not_in_blocks(paths, monkeypatch):
    x = _random.normal(size=(B, T, 6)).astype("float32")
    monkeypatch.setattr(attention, "BLOCKWISE_FROM", 2 * T)
    layer = MultiHeadCrossAttention(H)
    layer(x[:, :1], x)  # a step of decoding: one query, many keys
    assert not paths
    layer(x[:, :2], x)
    assert paths == [(B, H, 2, 2)]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX knows all lengths")
def test_lengths_known_only_at_run_time_give_the_same(paths):
    x = _random.normal(size=(B, T, 6)).astype("float32")
    layer = MultiHeadSelfAttention(H)
    wanted = layer(x, use_causal_mask=True)
    del paths[:]
    found = backends.dynamic_call(layer, {"inputs": x}, {"use_causal_mask": True})
    assert not paths
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_the_function_is_in_blocks_too(paths):
    query, key, value, _ = (np.moveaxis(x, 1, 2) for x in tensors(T))
    found = attention.scaled_dot_product_attention(query, key, value, is_causal=True)
    assert paths == [(B, H, T, D)]
    mask = np.tril(np.ones((T, T), bool))[None, None]
    wanted, _ = attention.scaled_dot_product_attention(query, key, value, mask, return_attention_scores=True)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_a_symbolic_query_is_not_in_blocks(paths):
    query, key, value, _ = (np.moveaxis(x, 1, 2) for x in tensors(T))
    symbols = [keras.Input(x.shape[1:]) for x in (query, key, value)]
    model = keras.Model(symbols, attention.scaled_dot_product_attention(*symbols))
    wanted = attention.scaled_dot_product_attention(query, key, value)
    np.testing.assert_allclose(model([query, key, value]), wanted, atol=1e-5)
    assert len(paths) == 1


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="a jaxpr lists the shapes of all that is computed")
@pytest.mark.parametrize("causal", [False, True])
def test_no_tensor_of_all_queries_and_keys(causal):
    import jax

    length = 1021
    x = ops.zeros((1, 1, length, 3))
    mask = ops.ones((1, 1, 1, length), dtype="bool")

    def listed(function):
        return str(jax.make_jaxpr(jax.grad(lambda x: ops.sum(function(x, x, x, mask, causal))))(x))

    def of_one_size(text):
        return f"{length},{length}]" in text or f"1024,{length}]" in text

    assert of_one_size(listed(plain))
    assert not of_one_size(listed(blockwise_attention))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of graphs of TensorFlow")
def test_the_graph_has_no_operation_of_xla():
    """Which a server refuses, by default."""
    import tensorflow as tf

    @tf.function
    def gradient(query, key, value, weights):
        with tf.GradientTape() as tape:
            tape.watch(query)
            loss = tf.reduce_sum(weights * blockwise_attention(query, key, value, None, True, BLOCK))
        return tape.gradient(loss, query)

    graph = gradient.get_concrete_function(*map(tf.constant, tensors(T))).graph
    assert operations.of_xla(operations.of_graph(graph.as_graph_def())) == []
