import keras
import numpy as np
import pytest

from keras_transformer.convert.tensors import Tensors, linear


def dense(width, units):
    layer = keras.layers.Dense(units)
    layer.build((None, width))
    return layer


def test_matrices_side_by_side():
    random = np.random.default_rng(0)
    arrays = {f"{n}.{k}": random.normal(size=s) for n in "qv" for k, s in (("weight", (2, 3)), ("bias", (2,)))}
    layer = dense(3, 4)
    tensors = Tensors(arrays, "here")
    tensors.load_dense(layer, linear("q"), linear("v"))
    tensors.finish()
    x = random.normal(size=(5, 3))
    wanted = np.concatenate([x @ arrays[f"{n}.weight"].T + arrays[f"{n}.bias"] for n in "qv"], axis=1)
    np.testing.assert_allclose(layer(x), wanted, atol=1e-5)


def test_matrices_that_are_not_transposed():
    layer, kernel = dense(3, 2), np.arange(6.0).reshape(3, 2)
    tensors = Tensors({"W": kernel, "b": np.ones(2)}, "here", transposed=False)
    tensors.load_dense(layer, ("W", "b"))
    tensors.finish()
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)


def test_all_faults_are_told_and_nothing_is_loaded():
    layer = dense(3, 4)
    before = layer.get_weights()
    tensors = Tensors(
        {"m.weight": np.ones((3, 4)), "left": np.ones(2), "pooler.x": np.ones(1), "e": np.zeros(2), "f": np.ones(2)},
        "here",
    )
    tensors.load_dense(layer, linear("m"))
    tensors.take_same(("e", "f", "g"), (2,))
    tensors.ignore("pooler.*")
    with pytest.raises(ValueError) as error:
        tensors.finish()
    assert str(error.value).splitlines() == [
        "Expected the tensors of the model that the configuration describes. Received in here:",
        "  wrong shape: m.weight, expected (4, 3), received (3, 4)",
        "  missing: m.bias of shape (4,)",
        "  different: f, which must equal e",
        "  unexpected: left of shape (2,)",
    ]
    for old, new in zip(before, layer.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_a_prefix_that_some_names_have():
    tensors = Tensors({"bert.a": np.ones(1), "b": np.zeros(2)}, "here").without_prefix("bert.")
    assert "a" in tensors and "b" in tensors and "bert.a" not in tensors
