import gc

import keras
import numpy as np
import pytest

from keras_transformer.layers import TokenEmbedding
from keras_transformer.quantization import QuantizesToInt8, int8, quantize_int8


def make():
    ids = keras.Input((None,), dtype="int32")
    embedding = TokenEmbedding(11, 19, name="tokens")
    x = keras.layers.Embedding(5, 19, name="others")(ids) + embedding(ids)
    x = keras.layers.Dense(19, name="dense")(keras.layers.LayerNormalization()(x))
    return keras.Model(ids, embedding(x, reverse=True))


def largest(matrix):
    return int(np.abs(np.asarray(matrix, "int16")).max())


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
def test_what_is_multiplied_is_quantized_to_64_steps():
    model = make()
    ids = np.array([[1, 2, 4]])
    wanted = model(ids)
    dense = model.get_layer("dense")
    kernel = np.asarray(dense.kernel)
    quantize_int8(model)
    scale = 64 / np.abs(kernel).max(axis=0)
    np.testing.assert_array_equal(dense.kernel, np.round(kernel * scale))
    np.testing.assert_allclose(dense.kernel_scale, scale, rtol=1e-4)
    assert largest(model.get_layer("tokens").embedding.embeddings) == 64
    assert (np.abs(np.asarray(model.get_layer("tokens").embedding.embeddings)).max(axis=1) == 64).all()
    assert largest(model.get_layer("others").embeddings) == 127  # never multiplied
    np.testing.assert_allclose(model(ids), wanted, atol=0.1 * np.std(wanted))


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
def test_keras_options_stay():
    model = make()
    of_keras = keras.quantizers.Int8QuantizationConfig(weight_quantizer=keras.quantizers.AbsMaxQuantizer(axis=0))
    quantize_int8(model, of_keras, filters="dense")
    assert largest(model.get_layer("dense").kernel) == 127
    assert model.get_layer("tokens").embedding.quantization_mode is None
    with pytest.raises(ValueError, match="already quantized"):
        quantize_int8(model)
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    quantize_int8(plain, keras.quantizers.Int8QuantizationConfig(activation_quantizer=None))
    assert plain.layers[0].inputs_quantizer is None and largest(plain.layers[0].kernel) == 64


def test_a_layer_that_is_left_out_is_not_smoothed():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, name="a"), keras.layers.Dense(2, name="b")])
    kernels = [np.asarray(layer.kernel) for layer in model.layers]
    quantize_int8(model, largest_inputs={layer: np.array([1.0, 2, 30]) for layer in model.layers}, filters="a")
    np.testing.assert_array_equal(model.layers[1].kernel, kernels[1])
    assert model.layers[0].quantization_mode == "int8" and model.layers[1].quantization_mode is None


def test_a_model_is_saved_and_loaded_as_keras_does(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    quantize_int8(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert largest(loaded.layers[0].kernel) == 64
    x = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(loaded(x), model(x))


def test_a_model_class_that_quantizes_so():
    class Model(QuantizesToInt8, keras.Model):
        def __init__(self):
            inputs = keras.Input((3,))
            super().__init__(inputs=inputs, outputs=keras.layers.Dense(2)(inputs))

    of_int8, of_int4 = Model(), Model()
    of_int8.quantize("int8")
    of_int4.quantize("int4")
    assert largest(of_int8.layers[1].kernel) == 64 and of_int4.layers[1].quantization_mode == "int4"


def test_collections_leave_out_what_is_in_memory():
    gc.unfreeze()
    with pytest.raises(ZeroDivisionError), int8._small_collections():
        assert gc.get_freeze_count() > 0
        raise ZeroDivisionError
    assert gc.get_freeze_count() == 0


def test_what_a_program_has_frozen_stays_so():
    gc.freeze()
    count = gc.get_freeze_count()
    with int8._small_collections():
        assert gc.get_freeze_count() == count
    assert gc.get_freeze_count() == count
    gc.unfreeze()
