import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import QuestionAnswerEmbedder, TextEmbedder, Translator
from keras_transformer.models import DeepAveragingNetwork, QuestionAnswerEncoder, SentenceEncoder, Transformer
from keras_transformer.pipelines import ExportedEmbedder
from keras_transformer.pipelines.precision import in_dtype, with_int8_embeddings
from keras_transformer.text import ByteTokenizer
from tests import reference

TEXTS = ["red dog", "", "漢 blue house runs"]
V = ByteTokenizer().vocabulary_size


@pytest.mark.parametrize("dtype", [None, "mixed_bfloat16"])
def test_vectors_change_little(dtype):
    encoder = SentenceEncoder(V, 1, 12, 19, 3, output_dim=7, dtype=dtype)
    reference.randomize(encoder, seed=1)
    embedder = TextEmbedder(encoder, ByteTokenizer())
    wanted = embedder.embed(TEXTS)
    small = in_dtype(embedder, "bfloat16")
    assert {weight.dtype for weight in small.encoder.weights} == {"bfloat16"} and small.embed(TEXTS).dtype == "float32"
    np.testing.assert_allclose(small.embed(TEXTS), wanted, atol=0.03)
    assert {weight.dtype for weight in encoder.weights} == {"float32"}
    np.testing.assert_array_equal(embedder.embed(TEXTS), wanted)
    encoder.enable_lora(2)
    for weight in embedder.trainable_weights:
        weight.assign(weight + 0.4)
    tuned = embedder.embed(TEXTS)
    assert np.abs(tuned - wanted).max() > 0.05
    np.testing.assert_allclose(in_dtype(embedder, "bfloat16").embed(TEXTS), tuned, atol=0.03)


def test_tables_of_embeddings_in_int8():
    encoder = DeepAveragingNetwork(
        V, num_bigram_buckets=9, hidden_dim=12, num_layers=1, output_dim=5, token_weights=True
    )
    reference.randomize(encoder, seed=2)
    embedder = TextEmbedder(encoder, ByteTokenizer())
    wanted = embedder.embed(TEXTS)
    small = with_int8_embeddings(embedder)
    of_dtypes = {weight.path for weight in small.encoder.weights if weight.dtype == "int8"}
    assert of_dtypes == {"embedding/embedding/embeddings", "bigram_embedding/embedding/embeddings"}
    assert np.abs(small.encoder.token_embedding.embedding.embeddings.numpy()).max() == 127
    np.testing.assert_allclose(small.embed(TEXTS), wanted, atol=0.01)
    np.testing.assert_array_equal(embedder.embed(TEXTS), wanted)
    assert {weight.dtype for weight in encoder.weights} == {"float32"}


def test_an_export_with_tables_in_int8(tmp_path):
    encoder = SentenceEncoder(V, 1, 12, 19, 3, output_dim=7, dtype="mixed_bfloat16", token_weights=True)
    embedder = TextEmbedder(encoder, ByteTokenizer())
    wanted = in_dtype(embedder, "float32").embed(TEXTS)
    for name, options in (("small", {"dtype": "float32"}), ("frozen", {"dtype": "float32", "frozen": True})):
        embedder.export(tmp_path / name, int8_embeddings=True, warmup_texts=(), **options)
        np.testing.assert_allclose(ExportedEmbedder(tmp_path / name).embed(TEXTS), wanted, atol=0.01)
    trained = [variable.dtype for variable in tf.saved_model.load(tmp_path / "small").trainable_variables]
    # All but the table.
    assert len(trained) == len(encoder.trainable_weights) - 1 and set(trained) == {tf.float32}


def test_tables_in_int8_are_of_encoders_in_float32(tmp_path):
    embedder = TextEmbedder(SentenceEncoder(V, 1, 12, 19, 3, output_dim=7), ByteTokenizer())
    with pytest.raises(ValueError, match="dtype='int8'"):
        embedder.export(tmp_path / "a", frozen=True, dtype="int8", int8_embeddings=True)
    with pytest.raises(ValueError, match="an encoder with int8_embeddings. Received: a Translator"):
        Translator(Transformer(V, 1, 12, 19, 3), ByteTokenizer()).export(tmp_path / "a", int8_embeddings=True)
    embedder.quantize("int8")
    with pytest.raises(ValueError, match="not quantized, with int8_embeddings"):
        embedder.export(tmp_path / "a", int8_embeddings=True)
    assert not list(tmp_path.iterdir())


def test_translators_keep_what_they_are():
    transformer = Transformer(V, 1, 12, 19, 3, norm_first=True)
    reference.randomize(transformer, seed=3)
    translator = Translator(transformer, ByteTokenizer(), max_extra_length=2, max_source_length=99)
    small = in_dtype(translator, "bfloat16")
    assert {weight.dtype for weight in small.transformer.weights} == {"bfloat16"}
    assert small.max_source_length == 99 and type(small.search) is type(translator.search)
    ids = np.array([[4, 5, 6, 3]])
    wanted, found = (model({"source_ids": ids, "target_ids": ids}) for model in (transformer, small.transformer))
    np.testing.assert_allclose(np.asarray(found, "float32"), wanted, atol=0.2)
    assert np.abs(wanted).max() > 2


@pytest.mark.filterwarnings("error::UserWarning")
def test_int8():
    encoder = SentenceEncoder(V, 1, 12, 19, 3, output_dim=7, dtype="mixed_bfloat16")
    reference.randomize(encoder, seed=1)
    embedder = TextEmbedder(encoder, ByteTokenizer())
    small = in_dtype(embedder, "int8")
    matrices = {weight.path: weight for weight in small.encoder.weights if weight.dtype == "int8"}
    assert len(matrices) == 6 and {weight.dtype for weight in small.encoder.weights} == {"int8", "float32"}
    np.testing.assert_allclose(small.embed(TEXTS), embedder.embed(TEXTS), atol=0.03)
    with pytest.raises(ValueError, match="Expected a model that is not quantized, with dtype='float32'"):
        in_dtype(small, "float32")


def test_a_calibration_is_by_all_texts():
    encoder = SentenceEncoder(V, 1, 12, 19, 3, output_dim=7)
    reference.randomize(encoder, seed=1)
    embedder = TextEmbedder(encoder, ByteTokenizer())
    texts = [*TEXTS] * 12
    one, all_of_them, two = (
        in_dtype(embedder, "int8", given).encoder.encoder_blocks[0].feed_forward.output_dense
        for given in (texts[:1], texts, texts[2:3])
    )
    # Larger inputs, larger factors on the weights.
    one, all_of_them, two = (1 / layer.quantized_call.input_factors for layer in (one, all_of_them, two))
    assert (all_of_them >= one).all() and (all_of_them >= two - 1e-6).all() and (all_of_them > one).any()
    assert "quantized_call" not in vars(encoder.encoder_blocks[0].feed_forward.output_dense)  # it stays as it is
    small = in_dtype(embedder, "int8", texts)
    np.testing.assert_allclose(small.embed(TEXTS), embedder.embed(TEXTS), atol=0.05)


def test_answers_are_calibrated_too():
    encoder = QuestionAnswerEncoder(SentenceEncoder(V, 1, 12, 19, 3, output_dim=7), hidden_dim=11, output_dim=5)
    reference.randomize(encoder, seed=2)
    small = in_dtype(QuestionAnswerEmbedder(encoder, ByteTokenizer()), "int8", TEXTS)
    dense = [layer for layer in small.encoder._flatten_layers() if isinstance(layer, keras.layers.Dense)]
    assert len(dense) > 5 and all(layer.quantized_call.input_range > 0 for layer in dense)


def test_quantized_models_are_refused():
    encoder = SentenceEncoder(V, 1, 12, 19, 3, output_dim=7)
    encoder.quantize("int8")
    with pytest.raises(ValueError, match="Expected a model that is not quantized, with dtype='bfloat16'. Received: "):
        in_dtype(TextEmbedder(encoder, ByteTokenizer()), "bfloat16")
