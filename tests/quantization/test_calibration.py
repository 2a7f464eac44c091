import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.quantization import observed_inputs, quantize_int8
from keras_transformer.quantization.calibration import CalibratedCall
from tests.quantization.graphs import X, traced

ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: 0.5 * x * (1 + np.vectorize(math.erf)(x / 2**0.5)),
    "tanh": np.tanh,  # which the operation has not
}


def model_of(layer):
    return keras.Sequential([keras.Input((19,)), layer])


def calibrated(layer, *batches):
    """The layer, quantized as the inputs of `batches` suggest."""
    model = model_of(layer)
    with observed_inputs(model) as largest:
        for batch in batches:
            layer(batch)
    quantize_int8(model, largest_inputs=largest)
    return layer


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_a_calibrated_layer_by_hand(activation, use_bias):
    random = np.random.default_rng(2)
    seen, kernel = random.normal(size=(40, 19)) * np.geomspace(1, 20, 19), random.normal(size=(19, 6))
    bias = random.normal(size=6) * use_bias
    layer = keras.layers.Dense(6, activation=activation, use_bias=use_bias)
    layer.build((None, 19))
    layer.set_weights([kernel, bias] if use_bias else [kernel])
    calibrated(layer, seen[:11], seen[11:])
    largest, weights = np.abs(seen).max(axis=0), np.abs(kernel).max(axis=1)
    assert largest.min() > 0.01 * largest.max() and weights.min() > 0.01 * weights.max()
    factors = largest**0.75 / weights**0.25
    reach = (largest / factors).max()
    np.testing.assert_allclose(layer.quantized_call.input_range, reach, rtol=1e-5)
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


def test_a_calibrated_layer_is_not_saved(tmp_path):
    model = model_of(keras.layers.Dense(6))
    with observed_inputs(model) as largest:
        model.layers[0](X)
    quantize_int8(model, largest_inputs=largest)
    with pytest.raises(ValueError, match="Expected a layer without calibration, which a file cannot hold"):
        model.save(tmp_path / "model.keras")


def test_smoothing_spares_the_small_channels():
    """One channel is a thousand times the others, as in trained models: without it they would all be 0."""
    random = np.random.default_rng(3)
    x = random.normal(size=(50, 19)).astype("float32")
    x[:, 4] *= 1000
    layer = keras.layers.Dense(6)
    layer.build((None, 19))
    layer.kernel.assign(layer.kernel * np.where(np.arange(19) == 4, 0.001, 1.0)[:, None])
    wanted = layer(x).numpy()
    function, _ = traced(calibrated(layer, x), x)
    error = np.asarray(function(tf.constant(x))) - wanted
    assert np.sqrt(np.mean(error**2)) < 0.05 * np.std(wanted)


def test_the_largest_of_all_calls_is_recorded_in_the_scope_alone():
    layer = keras.layers.Dense(6)
    model = model_of(layer)
    layer(1000 * X)
    with observed_inputs(model) as largest:
        tf.function(lambda x: layer(x))(1000 * X)  # traced: there are no values
        assert largest == {}
        layer(X[:3])
        layer(tf.zeros((0, 19)))
        layer(X[3:][None])
    layer(1000 * X)
    assert set(largest) == {layer} and "call" not in vars(layer)
    np.testing.assert_array_equal(largest[layer], np.abs(X).max(axis=0))


def test_a_layer_that_nothing_went_through_is_quantized_dynamically():
    silent, other = keras.layers.Dense(6), keras.layers.Dense(6)
    for layer in (silent, other):
        layer.build((None, 19))
    calibrated(silent, np.zeros((3, 19)))
    calibrated(other)
    for layer in (silent, other):
        assert not isinstance(layer.quantized_call, CalibratedCall)
        function, names = traced(layer, X)
        assert "QuantizeV2" not in names and "_QuantizedMatMul" in names
        np.testing.assert_allclose(function(tf.constant(X)), layer(X), rtol=1e-5, atol=1e-5)


def test_lora_is_quantized_dynamically():
    layer = keras.layers.Dense(6)
    model = model_of(layer)
    layer.enable_lora(2)
    with observed_inputs(model) as largest:
        layer(X)
    quantize_int8(model, largest_inputs=largest)
    assert not isinstance(layer.quantized_call, CalibratedCall)
