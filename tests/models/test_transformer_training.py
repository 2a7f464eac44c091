"""A transformer in `fit`: in other precisions, unpadded, with LoRA; and its weights in int8."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_transformer.models import Transformer
from keras_transformer.training import LabelSmoothedCrossEntropy
from tests.models.small_transformer import BATCH, LABELS, build


@pytest.mark.parametrize("overrides", [{}, {"norm_first": True, "target_vocabulary_size": 19}])
def test_unpadded_calls_and_gradients_are_those_of_padded(overrides):
    is_real = BATCH["target_ids"][..., None] != 0
    loss = LabelSmoothedCrossEntropy()
    padded = build(**{**overrides, "dropout": 0.0})
    unpadded = Transformer.from_config(padded.get_config())
    unpadded.set_weights(padded.get_weights())
    unpadded.unpadding = True
    found = []
    for model in (padded, unpadded):
        with tf.GradientTape() as tape:
            logits = model(BATCH)
            total = loss(LABELS, logits)
        gradients = tape.gradient(total, [variable.value for variable in model.trainable_variables])
        found.append((logits, [tf.convert_to_tensor(gradient) for gradient in gradients]))
    (logits, gradients), (unpadded_logits, unpadded_gradients) = found
    np.testing.assert_allclose(unpadded_logits, np.where(is_real, logits, 0.0), atol=1e-5)
    for gradient, wanted in zip(unpadded_gradients, gradients):
        np.testing.assert_allclose(gradient, wanted, atol=1e-5)


def test_unpadding_is_for_the_moment_and_in_no_file(tmp_path):
    model = build()
    padded = model(BATCH)
    model.unpadding = True
    model.compile(keras.optimizers.Adam(1e-2), LabelSmoothedCrossEntropy(), jit_compile=False)
    losses = model.fit(BATCH, LABELS, epochs=30, batch_size=2, verbose=0).history["loss"]
    assert losses[-1] < 0.7 * losses[0]
    model.save(tmp_path / "unpadded.keras")
    reloaded = keras.models.load_model(tmp_path / "unpadded.keras")
    assert not reloaded.unpadding
    is_real = BATCH["target_ids"][..., None] != 0
    np.testing.assert_allclose(model(BATCH), np.where(is_real, reloaded(BATCH), 0.0), atol=1e-5)
    model.unpadding = False
    np.testing.assert_allclose(model(BATCH), reloaded(BATCH), atol=1e-6)
    assert np.abs(model(BATCH) - padded).max() > 0.1  # it learned


def fit(model, epochs=40, **compile_arguments):
    model.compile(keras.optimizers.Adam(3e-3), LabelSmoothedCrossEntropy(0.0), **compile_arguments)
    data = tf.data.Dataset.from_tensors((BATCH, LABELS)).repeat(5)
    return model.fit(data, epochs=epochs, verbose=0).history["loss"]


@pytest.mark.parametrize("dtype, jit_compile", [("float32", True), ("mixed_float16", False)])
def test_fit_learns(dtype, jit_compile):
    losses = fit(build(dtype=dtype, dropout=0.0), epochs=20, jit_compile=jit_compile)
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.1 * losses[0]


def test_lora_trains_little_and_is_merged(tmp_path):
    model = build(dropout=0.0)
    before = model(BATCH)
    model.enable_lora(2)
    np.testing.assert_allclose(model(BATCH), before, atol=1e-6)
    assert all("lora" in variable.name for variable in model.trainable_variables)
    frozen = model.encoder_blocks[0].feed_forward.intermediate_dense.bias.numpy()
    losses = fit(model, epochs=10, jit_compile=False)
    assert losses[-1] < 0.9 * losses[0]
    np.testing.assert_array_equal(model.encoder_blocks[0].feed_forward.intermediate_dense.bias, frozen)
    tuned = model(BATCH)
    assert np.abs(tuned - before).max() > 1e-2
    model.save(tmp_path / "merged.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "merged.keras")(BATCH), tuned, atol=1e-4)


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
@pytest.mark.parametrize("dtype, times", [("float32", 2), ("mixed_bfloat16", 1)])
def test_int8_is_near_and_reloads_twice(dtype, times, tmp_path):
    model = build(dtype=dtype)
    before = np.asarray(ops.cast(model(BATCH), "float32"))
    model.quantize("int8")
    assert model.encoder_blocks[0].self_attention.query_key_value.kernel.dtype == "int8"
    after = np.asarray(ops.cast(model(BATCH), "float32"))
    assert 0 < np.abs(after - before).max() < 0.15 * np.abs(before).max()
    for _ in range(times):
        model.save(tmp_path / "int8.keras")
        model = keras.models.load_model(tmp_path / "int8.keras")
        np.testing.assert_array_equal(ops.cast(model(BATCH), "float32"), after)
