import keras
import numpy as np

from keras_transformer.quantization.replaced_methods import layers_of, replaced_methods


def test_scopes_may_be_nested():
    layer = keras.layers.Dense(1, kernel_initializer="ones")
    x = np.array([[2.0, 3.0]])
    layer(x)
    with replaced_methods({layer: lambda inputs, training=None: inputs * 2}, "call"):
        np.testing.assert_array_equal(layer(x), [[4, 6]])
        with replaced_methods({layer: lambda inputs, training=None: inputs * 3}, "call"):
            np.testing.assert_array_equal(layer(x), [[6, 9]])
        np.testing.assert_array_equal(layer(x), [[4, 6]])
    np.testing.assert_array_equal(layer(x), [[5]])
    assert "call" not in vars(layer)


def test_every_layer_once():
    shared = keras.layers.Dense(2)
    inner = keras.Sequential([shared, keras.layers.Dense(2)])
    model = keras.Sequential([keras.Input((2,)), shared, inner])
    found = layers_of(model)
    assert len(found) == len(set(found)) and {model, inner, shared, inner.layers[1]} <= set(found)
