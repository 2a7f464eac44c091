import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.models import SentenceEncoder

TINY = {"num_layers": 1, "hidden_dim": 12, "intermediate_dim": 19, "num_heads": 3, "output_dim": 7}
IDS = np.array([[4, 5, 6, 7], [8, 9, 0, 0], [0, 0, 0, 0]])


def test_unit_vectors_and_zero_for_nothing():
    vectors = SentenceEncoder(23, **TINY)(IDS)
    assert vectors.shape == (3, 7)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), [1, 1, 0], atol=1e-6)


def test_a_sentence_gives_the_same_vector_in_any_batch():
    model = SentenceEncoder(23, **TINY)
    np.testing.assert_allclose(model(IDS)[1], model(IDS[1:2, :2])[0], atol=1e-6)


@pytest.mark.parametrize("overrides", [{}, {"norm_first": True, "pooling": "mean"}, {"token_weights": True}])
def test_reloads_with_equal_outputs(overrides, tmp_path):
    model = SentenceEncoder(23, **TINY, **overrides)
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(reloaded) is SentenceEncoder and reloaded.get_config() == model.get_config()
    np.testing.assert_array_equal(reloaded(IDS), model(IDS))


@pytest.mark.parametrize("overrides", [{}, {"norm_first": True, "pooling": "mean"}, {"token_weights": True}])
@pytest.mark.parametrize("rows", [slice(None), slice(2, 3), slice(0, 1)])
def test_unpadded_equals_padded(overrides, rows):
    model, ids = SentenceEncoder(23, **TINY, **overrides), IDS[rows]
    padded, unpadded = np.asarray(model.encode(ids)), model.encode(ids, unpadding=True)
    is_real = ids[..., None] != 0
    np.testing.assert_allclose(np.where(is_real, unpadded, 0.0), np.where(is_real, padded, 0.0), atol=1e-5)
    np.testing.assert_allclose(model.pool(unpadded), model(ids), atol=1e-5)


def test_is_the_composition_of_its_layers():
    model = SentenceEncoder(23, **TINY)
    tokens = model.encode(keras.ops.convert_to_tensor(IDS[:1]))
    pooled = np.asarray(tokens)[0].sum(axis=0) / 4**0.5
    projected = pooled @ model.projection.get_weights()[0]
    np.testing.assert_allclose(model(IDS)[0], projected / np.linalg.norm(projected), atol=1e-5)


def test_token_weights_by_hand():
    model = SentenceEncoder(23, **TINY, token_weights=True)
    ids = keras.ops.convert_to_tensor(IDS[1:2])
    plain = SentenceEncoder(23, **TINY)
    # The same encoder without the number of the residual and the factors of the tokens.
    extra = {id(model.embedding_residual.scale), id(model.token_weights.factors)}
    plain.set_weights([weight.numpy() for weight in model.weights if id(weight) not in extra])
    embeddings, factors = model.token_embedding(ids).numpy()[0], model.token_weights.factors.numpy()
    assert model.embedding_residual.scale.numpy() == 4.0
    tokens = (plain.encode(ids).numpy()[0] + 4.0 * embeddings) * factors[IDS[1]][:, None]
    np.testing.assert_allclose(model.encode(ids).numpy()[0, :2], tokens[:2], atol=1e-5)
    projected = tokens[:2].sum(axis=0) / 2**0.5 @ model.projection.get_weights()[0]  # the rest is padding
    np.testing.assert_allclose(model(ids)[0], projected / np.linalg.norm(projected), atol=1e-5)


def test_learns_with_mixed_precision_and_xla():
    model = SentenceEncoder(23, **TINY, dropout=0.0, dtype="mixed_bfloat16")
    head = keras.Sequential([model, keras.layers.Dense(1, dtype="float32")])
    head.compile(keras.optimizers.Adam(1e-2), "mse", jit_compile=True)
    losses = head.fit(IDS[:2], np.array([[1.0], [-1.0]]), epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]


def test_preset():
    model = SentenceEncoder.from_preset("tiny", 50, output_dim=16)
    assert (len(model.encoder_blocks), model.output_shape) == (4, (None, 16))
    with pytest.raises(ValueError, match="output_dim=0"):
        SentenceEncoder.from_preset("tiny", 50, output_dim=0)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_an_empty_sentence_spoils_nothing(dtype):
    model = SentenceEncoder(23, **TINY, dropout=0.0, dtype=dtype)
    vectors = model(IDS)
    assert vectors.dtype == "float32"
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), [1, 1, 0], atol=1e-6)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(IDS)[:, 0])
    for gradient in tape.gradient(loss, [v.value for v in model.trainable_variables]):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all()
