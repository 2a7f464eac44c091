import math

import keras
import numpy as np
import pytest

from keras_transformer.layers import FeedForward, integer_products
from keras_transformer.layers.dense import Dense
from keras_transformer.layers.reversible_embedding import ReversibleEmbedding

tf = pytest.importorskip("tensorflow")
if keras.config.backend() != "tensorflow" or not integer_products.are_available():
    pytest.skip("an operation of TensorFlow for x86 processors", allow_module_level=True)


def traced(function, *arguments, jit_compile=False):
    """The function traced with constant weights, and the names of all operations in its graph."""
    signature = [tf.TensorSpec([None, *x.shape[1:]], x.dtype) for x in arguments]
    with integer_products.constant_weights():
        concrete = tf.function(function, input_signature=signature, jit_compile=jit_compile).get_concrete_function()
    graph = concrete.graph.as_graph_def()
    names = {node.op for node in graph.node} | {node.op for f in graph.library.function for node in f.node_def}
    return concrete, names


def quantized(layer, shape):
    layer.build(shape)
    layer.quantize("int8")
    return layer


X = np.random.default_rng(0).normal(size=(7, 19)).astype("float32") * np.geomspace(0.01, 100, 7)[:, None].astype("f")


@pytest.mark.parametrize("transposed", [False, True])
def test_by_hand(transposed):
    kernel = np.random.default_rng(1).integers(-64, 65, (19, 5)).astype("int8")
    scale = np.array([1, 10, 100, 0.1, 7], "float32")
    function, names = traced(
        lambda x: integer_products.product(x, tf.constant(kernel.T if transposed else kernel), scale, transposed), X
    )
    integers = np.round(X * 127 / np.abs(X).max(-1, keepdims=True)).astype("int64")
    wanted = integers @ kernel.astype("int64") * np.abs(X).max(-1, keepdims=True) / 127 / scale
    np.testing.assert_allclose(function(tf.constant(X)), wanted, rtol=1e-4)
    assert "_QuantizedMatMul" in names
    assert function(tf.zeros((0, 19))).shape == (0, 5)
    np.testing.assert_array_equal(function(tf.zeros((2, 19))), np.zeros((2, 5)))


def test_the_largest_integers_are_exact_on_any_processor():
    """Sums of two products of 8 bits, as processors without VNNI make them, have 16."""
    kernel = np.where(np.arange(200)[:, None] % 7 > 2, -64, 64).astype("int8")
    x = np.where(np.arange(200) % 5 > 1, 127, -127).astype("float32")[None]
    function, _ = traced(lambda x: integer_products.product(x, tf.constant(kernel), np.ones(1, "f")), x)
    np.testing.assert_allclose(function(tf.constant(x)), x @ kernel.astype("f"), rtol=1e-6)
    np.testing.assert_allclose(function(tf.constant(-x)), -x @ kernel.astype("f"), rtol=1e-6)
    np.testing.assert_allclose(function(tf.ones_like(x)), kernel.astype("f").sum(keepdims=True).T, rtol=1e-6)


def test_integers_of_more_steps_are_left_to_keras(tmp_path):
    of_keras = keras.quantizers.Int8QuantizationConfig(weight_quantizer=keras.quantizers.AbsMaxQuantizer(axis=0))
    for config, steps, is_replaced in ((None, 64, True), (of_keras, 127, False)):
        inputs = keras.Input((19,))
        model = keras.Model(inputs, Dense(6)(inputs))
        model.layers[1].quantize("int8", config=config)
        model.save(tmp_path / "model.keras")
        for layer in (model.layers[1], keras.saving.load_model(tmp_path / "model.keras").layers[1]):
            assert int(np.abs(layer._kernel).max()) == steps
            function, names = traced(layer, X)
            assert ("_QuantizedMatMul" in names) == is_replaced
            if not is_replaced:
                np.testing.assert_allclose(function(tf.constant(X)), layer(X), rtol=1e-5, atol=1e-5)


def test_a_row_does_not_depend_on_the_others():
    layer = quantized(Dense(6), (None, 19))
    function, _ = traced(layer, X)
    rows = [function(tf.constant(X[i : i + 1])) for i in range(len(X))]
    np.testing.assert_array_equal(np.concatenate(rows), function(tf.constant(X)))


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("mixed_bfloat16", 0.02)])
def test_layers_give_what_keras_gives(dtype, tolerance):
    x = X / np.abs(X).max(-1, keepdims=True)
    dense = quantized(Dense(33, activation="gelu", bias_initializer="normal", dtype=dtype), (None, 19))
    function, names = traced(dense, x)
    wanted = np.asarray(dense(x), "float32")
    assert "_QuantizedMatMul" in names
    np.testing.assert_allclose(np.asarray(function(tf.constant(x)), "float32"), wanted, atol=tolerance)

    embedding = quantized(ReversibleEmbedding(11, 19, dtype=dtype, reverse_dtype=dtype.split("_")[-1]), None)
    function, names = traced(lambda y: embedding(y, reverse=True), x)
    wanted = np.asarray(embedding(x, reverse=True), "float32")
    assert "_QuantizedMatMul" in names
    np.testing.assert_allclose(np.asarray(function(tf.constant(x)), "float32"), wanted, atol=tolerance)
    ids = np.array([[3, 10]], "int32")
    np.testing.assert_array_equal(traced(embedding, ids)[0](tf.constant(ids)), embedding(ids))


ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: 0.5 * x * (1 + np.vectorize(math.erf)(x / 2**0.5)),
    "tanh": np.tanh,  # which the operation has not
}


def calibrated(layer, *batches):
    with integer_products.calibrating():
        for batch in batches:
            layer(batch)
    layer.quantize("int8")
    return layer


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_a_calibrated_layer_by_hand(activation, use_bias):
    random = np.random.default_rng(2)
    seen, kernel = random.normal(size=(40, 19)) * np.geomspace(1, 20, 19), random.normal(size=(19, 6))
    bias = random.normal(size=6) * use_bias
    layer = Dense(6, activation=activation, use_bias=use_bias)
    layer.build((None, 19))
    layer.set_weights([kernel, bias] if use_bias else [kernel])
    calibrated(layer, seen[:11], seen[11:])
    largest, weights = np.abs(seen).max(axis=0), np.abs(kernel).max(axis=1)
    assert largest.min() > 0.01 * largest.max() and weights.min() > 0.01 * weights.max()
    factors = largest**0.75 / weights**0.25
    reach = (largest / factors).max()
    smoothed = kernel * factors[:, None]
    scale = np.abs(smoothed).max(axis=0) / 64
    x = np.concatenate([seen[:5], 9 * seen[5:7]])  # of which some is beyond what was seen
    integers = np.clip(np.round(x / factors * 127 / reach), -127, 127)
    assert (np.abs(x) > largest).any()
    weights = np.round(smoothed / scale) * scale
    sums = integers @ weights * reach / 127 + bias
    # What Keras does, and we where the activation is none of the operation's: rows quantized each by itself.
    row_scale = 127 / np.abs(x / factors).max(axis=1, keepdims=True)
    by_rows = np.round(x / factors * row_scale) @ weights / row_scale + bias
    x = x.astype("float32")
    function, names = traced(layer, x)
    assert ("QuantizeV2" in names) == (activation != "tanh") and ("Tanh" in names) == (activation == "tanh")
    if activation == "tanh":
        sums = by_rows
    np.testing.assert_allclose(function(tf.constant(x)), ACTIVATIONS[activation](sums), rtol=0.01, atol=0.15)
    # Where an integer is at the border between two, float32 may choose the other.
    found = np.asarray(function(tf.constant(x)))
    assert np.mean(np.abs(found - ACTIVATIONS[activation](sums)) < 1e-3) > 0.8
    np.testing.assert_allclose(layer(x), ACTIVATIONS[activation](by_rows), rtol=0.01, atol=0.15)
    plain = x[:5] @ kernel + bias
    assert np.std(by_rows[:5] - plain) < 0.03 * np.std(plain)
    with pytest.raises(ValueError, match="Expected a layer without calibration"):
        layer.save_own_variables({})


def test_smoothing_spares_the_small_channels():
    """One channel is a thousand times the others, as in trained models: without it they would all be 0."""
    random = np.random.default_rng(3)
    x = random.normal(size=(50, 19)).astype("float32")
    x[:, 4] *= 1000
    layer = Dense(6)
    layer.build((None, 19))
    layer.kernel.assign(layer.kernel * np.where(np.arange(19) == 4, 0.001, 1.0)[:, None])
    wanted = layer(x).numpy()
    function, _ = traced(calibrated(layer, x), x)
    error = np.asarray(function(tf.constant(x))) - wanted
    assert np.sqrt(np.mean(error**2)) < 0.05 * np.std(wanted)


def test_what_is_not_called_in_the_scope_is_not_calibrated():
    layer = Dense(6)
    layer(X)
    with integer_products.calibrating():
        tf.function(layer)(X)
    layer.quantize("int8")
    assert layer.input_range is None and layer.input_factors is None
    function, names = traced(layer, X)
    assert "QuantizeV2" not in names
    np.testing.assert_allclose(function(tf.constant(X)), layer(X), rtol=1e-5, atol=1e-5)


def test_the_largest_of_a_row_in_bfloat16_stays_an_integer_of_8_bits():
    x = np.array([[0.98828125, 0], [0.99609375, 0], [1.9765625, 0]], "float32")  # 127 / 0.98828125 is 129 in bfloat16
    layer = Dense(1, use_bias=False, kernel_initializer="ones", dtype="mixed_bfloat16")
    function, _ = traced(quantized(layer, (None, 2)), x)
    np.testing.assert_allclose(np.asarray(function(tf.constant(x)), "float32"), x[:, :1], rtol=0.01)


def test_another_quantization_is_left_to_keras():
    config = keras.quantizers.Int8QuantizationConfig(activation_quantizer=None)
    layer = Dense(6)
    layer.build((None, 19))
    layer.quantize("int8", config=config)
    function, names = traced(layer, X)
    assert "_QuantizedMatMul" not in names
    np.testing.assert_allclose(function(tf.constant(X)), layer(X), rtol=1e-5, atol=1e-5)
    capped = quantized(ReversibleEmbedding(11, 19, logit_soft_cap=2.0), None)
    untied = quantized(ReversibleEmbedding(11, 19, tie_weights=False), None)
    for layer in (capped, untied):
        function, _ = traced(lambda x: layer(x, reverse=True), X)  # noqa: B023
        np.testing.assert_allclose(function(tf.constant(X)), layer(X, reverse=True), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("base, arguments", [(Dense, [5]), (ReversibleEmbedding, [5, 3])])
def test_a_subclass_that_may_compute_something_else_is_not_quantized(base, arguments):
    layer = type("Other", (base,), {})(*arguments)
    layer.build((None, 3))
    with pytest.raises(NotImplementedError):
        layer.quantize("int8")


def test_three_axes():
    x = X[None].repeat(2, axis=0)
    layer = quantized(Dense(4), (None, None, 19))
    np.testing.assert_allclose(traced(layer, x)[0](tf.constant(x)), layer(x), rtol=1e-5, atol=1e-5)


def test_not_where_weights_may_change_nor_in_xla():
    layer = FeedForward(8)
    layer.build((None, None, 19))
    layer.intermediate_dense.quantize("int8")
    x = X[None]
    unscoped = tf.function(layer, input_signature=[tf.TensorSpec([None, None, 19])]).get_concrete_function()
    assert "_QuantizedMatMul" not in {operation.type for operation in unscoped.graph.get_operations()}

    def without(x):
        with integer_products.constant_weights(False):
            return layer(x)

    function, names = traced(without, x, jit_compile=True)
    assert "_QuantizedMatMul" not in names
    np.testing.assert_allclose(function(tf.constant(x)), layer(x), rtol=1e-4, atol=1e-5)


def test_lora_is_left_to_keras():
    layer = quantized(Dense(6), (None, 19))
    layer.enable_lora(2)
    layer.lora_kernel_b.assign(np.ones((2, 6)))
    function, names = traced(layer, X)
    assert "_QuantizedMatMul" not in names
    np.testing.assert_allclose(function(tf.constant(X)), layer(X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", [Dense(5), ReversibleEmbedding(5, 3)])
def test_configs_come_back(layer):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(copy) is type(layer) and copy.get_config() == layer.get_config()
