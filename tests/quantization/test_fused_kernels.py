import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.layers import FeedForward
from keras_transformer.quantization import fused_kernels, keras_kernels, quantize_int8
from tests.quantization.graphs import X, traced

Dense, ReversibleEmbedding = keras.layers.Dense, keras.layers.ReversibleEmbedding


def quantized(layer, shape=(None, 19), config=None):
    layer.build(shape)
    quantize_int8(keras.Sequential([layer]), config)
    return layer


def test_weights_beyond_64_are_left_to_keras(tmp_path):
    of_keras = keras.quantizers.Int8QuantizationConfig(weight_quantizer=keras.quantizers.AbsMaxQuantizer(axis=0))
    for config, steps, is_replaced in ((None, 64, True), (of_keras, 127, False)):
        inputs = keras.Input((19,))
        model = keras.Model(inputs, Dense(6)(inputs))
        quantize_int8(model, config)
        model.save(tmp_path / "model.keras")
        for layer in (model.layers[1], keras.saving.load_model(tmp_path / "model.keras").layers[1]):
            assert int(np.abs(layer.kernel).max()) == steps
            function, names = traced(layer, X)
            assert ("_QuantizedMatMul" in names) == is_replaced
            if not is_replaced:
                np.testing.assert_allclose(function(tf.constant(X)), layer(X), rtol=1e-5, atol=1e-5)


def test_a_row_does_not_depend_on_the_others():
    function, _ = traced(quantized(Dense(6)), X)
    rows = [function(tf.constant(X[i : i + 1])) for i in range(len(X))]
    np.testing.assert_array_equal(np.concatenate(rows), function(tf.constant(X)))


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("mixed_bfloat16", 0.02)])
def test_layers_give_what_keras_gives(dtype, tolerance):
    x = X / np.abs(X).max(-1, keepdims=True)
    dense = quantized(Dense(33, activation="gelu", bias_initializer="normal", dtype=dtype))
    function, names = traced(dense, x)
    wanted = np.asarray(dense(x), "float32")
    assert "_QuantizedMatMul" in names
    np.testing.assert_allclose(np.asarray(function(tf.constant(x)), "float32"), wanted, atol=tolerance)

    embedding = quantized(ReversibleEmbedding(11, 19, dtype=dtype, reverse_dtype=dtype.split("_")[-1]), None)
    function, names = traced(embedding, x, function=lambda y: embedding(y, reverse=True))
    wanted = np.asarray(embedding(x, reverse=True), "float32")
    assert "_QuantizedMatMul" in names
    np.testing.assert_allclose(np.asarray(function(tf.constant(x)), "float32"), wanted, atol=tolerance)
    ids = np.array([[3, 10]], "int32")
    np.testing.assert_array_equal(traced(embedding, ids)[0](tf.constant(ids)), embedding(ids))


def test_the_largest_of_a_row_in_bfloat16_stays_an_integer_of_8_bits():
    x = np.array([[0.98828125, 0], [0.99609375, 0], [1.9765625, 0]], "float32")  # 127 / 0.98828125 is 129 in bfloat16
    layer = Dense(1, use_bias=False, kernel_initializer="ones", dtype="mixed_bfloat16")
    function, _ = traced(quantized(layer, (None, 2)), x)
    np.testing.assert_allclose(np.asarray(function(tf.constant(x)), "float32"), x[:, :1], rtol=0.01)


def test_another_quantization_is_left_to_keras():
    layer = quantized(Dense(6), config=keras.quantizers.Int8QuantizationConfig(activation_quantizer=None))
    function, names = traced(layer, X)
    assert "_QuantizedMatMul" not in names
    np.testing.assert_allclose(function(tf.constant(X)), layer(X), rtol=1e-5, atol=1e-5)
    capped = quantized(ReversibleEmbedding(11, 19, logit_soft_cap=2.0), None)
    untied = quantized(ReversibleEmbedding(11, 19, tie_weights=False), None)
    for layer in (capped, untied):
        function, names = traced(layer, X, function=lambda x: layer(x, reverse=True))  # noqa: B023
        assert "_QuantizedMatMul" not in names
        np.testing.assert_allclose(function(tf.constant(X)), layer(X, reverse=True), rtol=1e-4, atol=1e-5)


def test_three_axes():
    x = X[None].repeat(2, axis=0)
    layer = quantized(Dense(4), (None, None, 19))
    np.testing.assert_allclose(traced(layer, x)[0](tf.constant(x)), layer(x), rtol=1e-5, atol=1e-5)


def test_in_the_scope_alone_and_not_in_xla():
    layer = FeedForward(8)
    layer.build((None, None, 19))
    quantize_int8(keras.Sequential([layer]), filters="expansion|intermediate_dense")
    x = X[None]
    unscoped = tf.function(layer, input_signature=[tf.TensorSpec([None, None, 19])]).get_concrete_function()
    assert "_QuantizedMatMul" not in {operation.type for operation in unscoped.graph.get_operations()}

    def without(x):
        with keras_kernels(layer):
            return layer(x)

    function, names = traced(layer, x, function=without, jit_compile=True)
    assert "_QuantizedMatMul" not in names
    np.testing.assert_allclose(function(tf.constant(x)), layer(x), rtol=1e-4, atol=1e-5)

    def both(x):
        return without(x) + layer(x)

    assert "_QuantizedMatMul" in traced(layer, x, function=both)[1]  # it is back after the inner scope


def test_lora_is_left_to_keras():
    layer = quantized(Dense(6))
    layer.enable_lora(2)
    layer.lora_kernel_b.assign(np.ones((2, 6)))
    function, names = traced(layer, X)
    assert "_QuantizedMatMul" not in names
    np.testing.assert_allclose(function(tf.constant(X)), layer(X), rtol=1e-5, atol=1e-5)


def test_the_layer_is_as_before_after_an_error():
    layer = quantized(Dense(6))
    with pytest.raises(ZeroDivisionError), fused_kernels(layer):
        assert "quantized_call" in vars(layer)
        raise ZeroDivisionError
    assert "quantized_call" not in vars(layer)
