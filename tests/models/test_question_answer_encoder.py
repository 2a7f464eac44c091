import keras
import numpy as np
import pytest
from keras import ops

from keras_transformer.models import QuestionAnswerEncoder, SentenceEncoder

TINY = {"num_layers": 1, "hidden_dim": 12, "intermediate_dim": 19, "num_heads": 3, "output_dim": 5}
IDS = {
    "question_ids": np.array([[4, 5, 6], [7, 0, 0], [0, 0, 0]]),
    "response_ids": np.array([[8, 9, 10, 11], [12, 13, 0, 0], [0, 0, 0, 0]]),
    "context_ids": np.array([[14, 15], [0, 0], [0, 0]]),
}


def make(shared=True, **kwargs):
    encoders = [SentenceEncoder(23, **TINY) for _ in range(1 if shared else 2)]
    return QuestionAnswerEncoder(*encoders, hidden_dim=11, output_dim=7, **kwargs)


@pytest.mark.parametrize("shared", [True, False])
def test_is_the_composition_of_its_parts(shared):
    model = make(shared)

    def tower(side, encoded):
        hidden, projection = (getattr(model, f"{side}_{name}").get_weights()[0] for name in ("hidden", "projection"))
        vectors = np.tanh(encoded @ hidden) @ projection
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    vectors = model(IDS)
    found = np.array(model.encoder(IDS["question_ids"]))[:2]
    np.testing.assert_allclose(vectors["questions"][:2], tower("question", found), atol=1e-5)
    found = [np.array(model.response_encoder(IDS[name]))[:2] for name in ("response_ids", "context_ids")]
    np.testing.assert_allclose(vectors["responses"][:2], tower("response", np.concatenate(found, 1)), atol=1e-5)
    assert (model.response_encoder is model.encoder) == shared
    one = make().encoder.count_params()
    assert model.count_params() == one * (1 if shared else 2) + 5 * 11 + 10 * 11 + 2 * 11 * 7


def test_unit_vectors_and_zero_for_nothing():
    for vectors in make()(IDS).values():
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 0], atol=1e-6)


@pytest.mark.parametrize("shared", [True, False])
def test_reloads_with_equal_outputs(shared, tmp_path):
    model = make(shared, activation="relu")
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(reloaded) is QuestionAnswerEncoder and reloaded.get_config() == model.get_config()
    assert (reloaded.response_encoder is reloaded.encoder) == shared
    for name, vectors in model(IDS).items():
        np.testing.assert_array_equal(reloaded(IDS)[name], vectors)


def test_reloads_quantized(tmp_path):
    model = make()
    model.quantize("int8")
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert reloaded.encoder.projection.quantization_mode == "int8"
    for name, vectors in model(IDS).items():
        np.testing.assert_allclose(reloaded(IDS)[name], vectors, atol=1e-6)


def test_learns_which_response_fits_with_any_encoder():
    ids = keras.Input((None,), dtype="int32")
    encoder = keras.Model(ids, keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(23, 5)(ids)))
    model = QuestionAnswerEncoder(encoder, hidden_dim=11, output_dim=7)
    vectors = model.output
    scores = ops.matmul(vectors["questions"], ops.transpose(vectors["responses"]))
    ranking = keras.Model(model.input, 10.0 * scores)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ranking.compile(keras.optimizers.Adam(1e-2), loss, jit_compile=False)
    batch = {name: ids[:2] for name, ids in IDS.items()}
    losses = ranking.fit(batch, np.arange(2), epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]
    assert np.argmax(ranking(batch), axis=1).tolist() == [0, 1]


def test_preset():
    model = QuestionAnswerEncoder.from_preset("tiny", 50, output_dim=16)
    assert len(model.encoder.encoder_blocks) == 4
    assert [vectors.shape for vectors in model.output.values()] == [(None, 16)] * 2 and model.output_dim == 16


def test_bad_arguments():
    encoder = SentenceEncoder(23, **TINY)
    for name in ("hidden_dim", "output_dim"):
        with pytest.raises(ValueError, match=f"{name}=0"):
            QuestionAnswerEncoder(encoder, **{name: 0})
    ids = keras.Input((None,), dtype="int32")
    tokens = keras.Model(ids, keras.layers.Embedding(23, 5)(ids))
    with pytest.raises(ValueError, match=r"vectors \(B, E\). Received: output_shape=\(None, None, 5\)"):
        QuestionAnswerEncoder(encoder, tokens)
