"""The models on JAX: training, decoding, and lowering for TPU."""

import jax
import keras
import numpy as np
import pytest
from keras import ops

from keras_transformer.decoding import greedy_decode
from keras_transformer.models import SentenceEncoder, Transformer
from keras_transformer.training import LabelSmoothedCrossEntropy

V, B, S, T = 23, 2, 5, 4
SOURCE = np.array([[4, 5, 6, 7, 3], [8, 9, 3, 0, 0]], "int32")
TARGET = np.array([[2, 10, 11, 12], [2, 13, 0, 0]], "int32")
LABELS = np.array([[10, 11, 12, 3], [13, 3, 0, 0]], "int32")


def transformer(**kwargs):
    return Transformer(V, 2, 16, 19, 4, **{"dropout": 0.0, **kwargs})


def state(model):
    return [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]


def loss_of(model):
    def loss(trainable, others, batch, labels):
        logits, _ = model.stateless_call(trainable, others, batch, training=True)
        return LabelSmoothedCrossEntropy(0.1)(labels, logits)

    return loss


def test_fit_learns():
    model = transformer(dtype="mixed_bfloat16")
    model.compile(keras.optimizers.Adam(3e-3), LabelSmoothedCrossEntropy(0.0))
    batch = {"source_ids": SOURCE, "target_ids": TARGET}
    losses = model.fit(batch, LABELS, epochs=60, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]


def test_reloads_with_equal_outputs(tmp_path):
    model = transformer()
    batch = {"source_ids": SOURCE, "target_ids": TARGET}
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(batch), model(batch))


def test_compiled_decoding_equals_eager():
    model = transformer()
    limits = np.array([8, 3])
    eager = greedy_decode(model, ops.convert_to_tensor(SOURCE), limits, 2, 3, max_length=8)
    compiled = jax.jit(lambda source: greedy_decode(model, source, limits, 2, 3, max_length=8))
    np.testing.assert_array_equal(compiled(SOURCE), eager)


def shapes(values):
    return jax.tree.map(lambda v: jax.ShapeDtypeStruct(v.shape, v.dtype), values)


def lower_for_tpu(function, *arguments):
    exported = jax.export.export(jax.jit(function), platforms=["tpu"])(*shapes(arguments))
    assert exported.platforms == ("tpu",)
    return exported.mlir_module()


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_training_step_lowers_for_tpu(dtype):
    model = transformer(dtype=dtype, dropout=0.1)
    batch = {"source_ids": SOURCE, "target_ids": TARGET}
    module = lower_for_tpu(jax.value_and_grad(loss_of(model)), *state(model), batch, LABELS)
    assert "dot_general" in module and ("bf16" in module) == (dtype == "mixed_bfloat16")


def test_decoding_lowers_for_tpu():
    model = transformer()
    module = lower_for_tpu(lambda source: greedy_decode(model, source, np.array([8, 3]), 2, 3, max_length=8), SOURCE)
    assert "while" in module


def test_the_sentence_encoder_lowers_for_tpu():
    model = SentenceEncoder(V, 2, 16, 19, 4, output_dim=8)
    module = lower_for_tpu(lambda *args: model.stateless_call(*args)[0], *state(model), SOURCE)
    assert "tensor<2x8xf32>" in module
