import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import TextEmbedder
from keras_transformer.models import SentenceEncoder
from keras_transformer.text import ByteTokenizer

TEXTS = ["red dog", "", "blue house runs", b"\xff", "cat"]


@pytest.fixture(scope="module")
def embedder():
    tokenizer = ByteTokenizer()
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=7)
    return TextEmbedder(encoder, tokenizer, max_length=20)


def test_long_texts_are_cut(embedder):
    np.testing.assert_allclose(embedder(["x" * 1000]), embedder(["x" * 20]), atol=1e-6)


def test_dropout_in_training_only(embedder):
    np.testing.assert_array_equal(embedder(TEXTS), embedder(TEXTS, training=False))
    assert np.abs(embedder(TEXTS, training=True) - embedder(TEXTS)).max() > 1e-3


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_reloads_with_equal_outputs(dtype, tmp_path):
    encoder = SentenceEncoder(260, 1, 12, 19, 3, output_dim=7, dtype=dtype)
    embedder = TextEmbedder(encoder, ByteTokenizer())
    embedder.save(tmp_path / "embedder.keras")
    reloaded = keras.models.load_model(tmp_path / "embedder.keras")
    assert type(reloaded) is TextEmbedder and reloaded(TEXTS).dtype == tf.float32
    np.testing.assert_array_equal(reloaded(TEXTS), embedder(TEXTS))


def test_trains_in_a_functional_model(embedder):
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, keras.layers.Dense(1)(embedder(texts)))
    model.compile(keras.optimizers.Adam(1e-2), "mse", jit_compile=False)
    x, y = tf.constant(["dog", "cat"]), np.array([[1.0], [-1.0]])
    losses = model.fit(x, y, epochs=40, verbose=0).history["loss"]
    assert losses[-1] < 0.2 * losses[0]


def test_exports_train_where_they_are_asked_to(embedder):
    """By "call_in_training" and by the argument `training`, with gradients for every weight."""
    functions, _ = embedder.export_functions(trainable=True)
    assert set(functions) == {"__call__", "call_in_training"}
    assert set(embedder.export_functions(trainable=False)[0]) == {"__call__"}
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(functions["call_in_training"](inputs=tf.constant(["dog"])) ** 3)
    gradients = tape.gradient(loss, [weight.value for weight in embedder.trainable_weights])
    assert len(gradients) > 10 and all(gradient is not None for gradient in gradients)
    texts = tf.constant(["dog", ""])
    np.testing.assert_allclose(functions["__call__"](texts), embedder(texts), atol=1e-5)
    assert np.abs(functions["__call__"](texts, training=True) - embedder(texts)).max() > 1e-3


def test_exports_embed_thousands_of_texts_in_one_call(embedder):
    """More than the tokens are made of at a time."""
    call = embedder.export_functions(trainable=True)[0]["__call__"]
    texts = ["red dog", "", "blue house runs", "cat"]
    found = call(tf.constant(texts * 1100)).numpy().reshape(1100, 4, 7)
    np.testing.assert_allclose(found, np.broadcast_to(embedder(texts), found.shape), atol=1e-5)
