import keras
import numpy as np

from keras_transformer.quantization.casting import copy_weights, with_dtype


def test_floating_policies_alone_are_replaced():
    layers = keras.layers.Embedding(5, 3), keras.layers.Dense(2, dtype="mixed_bfloat16")
    model = keras.Sequential([keras.Input((None,), dtype="int32"), *layers])
    copy = keras.Sequential.from_config(with_dtype(model.get_config(), "bfloat16"))
    assert [layer.dtype_policy.name for layer in copy.layers] == ["bfloat16", "bfloat16"]
    assert copy.inputs[0].dtype == "int32"
    integers = {"class_name": "DTypePolicy", "config": {"name": "int32"}}
    assert with_dtype([integers, 3], "bfloat16") == [integers, 3]


def test_weights_are_cast_and_stay_as_trainable():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.layers[0].kernel.trainable = False
    copy = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype="bfloat16")])
    copy_weights(model, copy)
    np.testing.assert_allclose(np.asarray(copy.layers[0].kernel, "float32"), model.layers[0].kernel, rtol=0.01)
    assert len(copy.trainable_weights) == 1


def test_lora_is_merged():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    copy = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.layers[0].enable_lora(1)
    model.layers[0].lora_kernel_b.assign(np.ones((1, 2)))
    copy_weights(model, copy)
    np.testing.assert_allclose(copy.layers[0].kernel, model.layers[0].kernel, rtol=1e-6)
