import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import TextEmbedder
from keras_transformer.models import SentenceEncoder
from keras_transformer.pipelines import truncated
from keras_transformer.text import ByteTokenizer, SubwordTokenizer
from tests import made_data

TEXTS = ["red dog", "", "blue house runs", b"\xff", "cat"]


@pytest.fixture(scope="module")
def embedder():
    tokenizer = ByteTokenizer()
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=7)
    return TextEmbedder(encoder, tokenizer, max_length=20)


def test_unit_vectors_and_zero_for_nothing(embedder):
    vectors = embedder(TEXTS)
    assert vectors.dtype == tf.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), [1, 0, 1, 1, 1], atol=1e-6)
    np.testing.assert_array_equal(vectors[1], np.zeros(7))
    assert embedder([]).shape == (0, 7)


def test_is_tokenizer_then_encoder(embedder):
    np.testing.assert_allclose(embedder(["red dog"]), embedder.encoder(embedder.tokenizer(["red dog"])), atol=1e-6)


@pytest.mark.parametrize("frozen", [False, True])
def test_packed_in_the_export_and_equal_to_the_padded_encoder(embedder, frozen, tmp_path):
    embedder.export(tmp_path / "1", frozen=frozen)
    exported = tf.saved_model.load(tmp_path / "1")
    wanted = embedder.encoder(embedder.tokenizer([text if text != b"\xff" else "\ufffd" for text in TEXTS]))
    np.testing.assert_allclose(embedder(TEXTS), wanted, atol=1e-5)
    np.testing.assert_allclose(exported(TEXTS), wanted, atol=1e-5)
    np.testing.assert_allclose(exported([""]), np.zeros((1, 7)), atol=0)
    assert exported(tf.constant([], tf.string)).shape == (0, 7)
    nodes = [node for f in exported.signatures["ids"].graph.as_graph_def().library.function for node in f.node_def]
    assert "Where" in {node.op for node in nodes}  # which finds the real tokens


def test_the_first_numbers_alone(embedder, tmp_path):
    short = TextEmbedder(embedder.encoder, embedder.tokenizer, max_length=20, truncate_dim=3)
    wanted = truncated(embedder.embed(["red dog", "", "cat"]), 3)
    assert short.output_dim == 3
    np.testing.assert_allclose(short.embed(["red dog", "", "cat"]), wanted, atol=1e-6)
    short.save(tmp_path / "short.keras")
    saved = keras.models.load_model(tmp_path / "short.keras")
    np.testing.assert_allclose(saved(["red dog", "", "cat"]), wanted, atol=1e-6)
    short.export(tmp_path / "1", frozen=True)
    exported = tf.saved_model.load(tmp_path / "1")
    np.testing.assert_allclose(exported(["red dog", "", "cat"]), wanted, atol=1e-5)
    assert "truncate_dim" not in embedder.get_config()
    with pytest.raises(ValueError, match="at most 7. Received: truncate_dim=8"):
        TextEmbedder(embedder.encoder, embedder.tokenizer, truncate_dim=8)
    with pytest.raises(ValueError, match="truncate_dim=0"):
        TextEmbedder(embedder.encoder, embedder.tokenizer, truncate_dim=0)


def test_exported_ids_are_cut_and_mapped_as_texts_are(embedder):
    of_ids = embedder.export_functions(trainable=False)[1]["ids"]
    unknown, size = embedder.tokenizer.unknown_id, embedder.tokenizer.vocabulary_size
    rows = [[5, 6, 7, 8] * 500, [5, -1, 2**31 - 1, size] + [0] * 1996]
    wanted = [[5, 6, 7, 8] * 5, [5, unknown, unknown, unknown] + [0] * 16]  # max_length is 20
    np.testing.assert_allclose(of_ids(tf.constant(rows))["outputs"], embedder.encoder(np.array(wanted)), atol=1e-5)


def test_a_text_gives_the_same_vector_in_any_batch(embedder):
    together = embedder(TEXTS)
    for text, vector in zip(TEXTS, together):
        np.testing.assert_allclose(embedder([text])[0], vector, atol=1e-5)


def test_bad_input(embedder):
    with pytest.raises(ValueError, match="a single string"):
        embedder("red dog")
    with pytest.raises(ValueError, match="max_length=0"):
        TextEmbedder(embedder.encoder, embedder.tokenizer, max_length=0)


def test_a_vector_for_each_token(embedder):
    texts = ["dog", "", "é", "x" * 30]
    with pytest.warns(UserWarning, match="1 of 4 texts .* \\(number 4\\)") as warned:
        found = embedder.embed_tokens(iter(texts), batch_size=2)
    assert [warning.filename for warning in warned] == [__file__]
    assert [tokens for tokens, _ in found] == [["d", "o", "g"], [], ["\\xc3", "\\xa9"], ["x"] * 20]
    assert [(vectors.shape, vectors.dtype) for _, vectors in found] == [
        ((number, 12), "float32") for number in (3, 0, 2, 20)
    ]
    # The encoder makes the text's vector of them.
    pooled = found[0][1].sum(axis=0) / 3**0.5 @ embedder.encoder.projection.get_weights()[0]
    np.testing.assert_allclose(pooled / np.linalg.norm(pooled), embedder(["dog"])[0], atol=1e-5)


def test_subwords_as_tokens():
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 30)
    embedder = TextEmbedder(SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=7), tokenizer)
    ((tokens, vectors),) = embedder.embed_tokens(["red 漢"])
    assert "".join(tokens) == "▁red▁<unk>" and len(vectors) == len(tokens)


def test_an_encoder_without_encode_has_no_tokens(tmp_path):
    ids = keras.Input((None,), dtype="int32")
    pooled = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(260, 5)(ids))
    embedder = TextEmbedder(keras.Model(ids, pooled), ByteTokenizer())
    with pytest.raises(ValueError, match="Expected an encoder with a method encode.* Received: Functional"):
        embedder.embed_tokens(["dog"])
    embedder.export(tmp_path / "1")
    assert sorted(tf.saved_model.load(tmp_path / "1").signatures) == ["ids", "lengths", "serving_default"]
