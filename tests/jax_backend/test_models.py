"""The models on JAX: training, decoding, and lowering for TPU."""

import jax
import keras
import numpy as np
import pytest
from keras import ops

from keras_transformer.decoding import BeamSearch, GreedySearch, Sampling
from keras_transformer.models import Ensemble, SentenceEncoder, Transformer
from keras_transformer.training import LabelSmoothedCrossEntropy
from tests.decoding import models

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


SEARCHES = [GreedySearch(), BeamSearch(3, 1.0), Sampling(1.5, top_k=9, top_p=0.9, seed=4)]
LIMITS = np.array([8, 3])


def search_with(search, model, source):
    return search(model, source, LIMITS, 2, 3, max_length=8, prefix_ids=np.array([[5, 0], [0, 0]]))


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: type(search).__name__)
@pytest.mark.parametrize("count", [1, 2])
def test_compiled_decoding_equals_eager(search, count):
    model = transformer() if count == 1 else Ensemble([transformer(norm_first=True), transformer()])
    eager = search_with(search, model, ops.convert_to_tensor(SOURCE))
    compiled = jax.jit(lambda source: search_with(search, model, source))(SOURCE)
    assert eager.ids.shape == (2, search.num_best, 8) and (eager.ids[0, :, 0] == 5).all()
    np.testing.assert_array_equal(compiled.ids, eager.ids)
    np.testing.assert_allclose(compiled.scores, eager.scores, atol=1e-5)


def test_the_beam_is_that_of_the_reference():
    model = models.HashModel(13, end_bonus=2.0)
    found = BeamSearch(4, 1.0, min_length=2)(model, SOURCE, LIMITS, 2, 3, max_length=8)
    for row, limit in enumerate(LIMITS):
        wanted = models.beam_search(
            lambda tokens: model.log_probs(SOURCE[row], tokens),  # noqa: B023
            limit, 4, models.gnmt(1.0), 2,
        )  # fmt: skip
        np.testing.assert_allclose(
            *([score for score, _ in x] for x in (models.as_lists(found, row), wanted[:4])), atol=1e-4
        )
        assert [tokens for _, tokens in models.as_lists(found, row)] == [tokens for _, tokens in wanted[:4]]


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


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: type(search).__name__)
def test_decoding_lowers_for_tpu(search):
    model = transformer()
    assert "while" in lower_for_tpu(lambda source: search_with(search, model, source), SOURCE)


def test_the_sentence_encoder_lowers_for_tpu():
    model = SentenceEncoder(V, 2, 16, 19, 4, output_dim=8)
    module = lower_for_tpu(lambda *args: model.stateless_call(*args)[0], *state(model), SOURCE)
    assert "tensor<2x8xf32>" in module
