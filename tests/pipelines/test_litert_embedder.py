import numpy as np
import pytest

import keras_transformer
from keras_transformer import LiteRtEmbedder, TextEmbedder
from keras_transformer.models import DeepAveragingNetwork
from keras_transformer.pipelines import load_embedder
from keras_transformer.text import SubwordTokenizer, WordPieceTokenizer
from tests import made_data, made_texts, reference
from tests.text.test_word_piece_tables import VOCABULARY


def made(tokenizer, path, max_length=20):
    encoder = DeepAveragingNetwork(tokenizer.vocabulary_size, 9, hidden_dim=8, output_dim=6, num_layers=1)
    reference.randomize(encoder, seed=1)
    embedder = TextEmbedder(encoder, tokenizer, max_length=max_length)
    embedder.export(path, format="litert")
    return embedder, LiteRtEmbedder(path)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 60, lower_case=True)
    return made(tokenizer, tmp_path_factory.mktemp("litert") / "encoder.tflite")


def test_embeds_as_the_pipeline(both):
    embedder, on_device = both
    texts = ["a red dog", "", "A RED DOG", "a red dog"]
    assert (on_device.output_dim, on_device.max_length) == (6, 20)
    np.testing.assert_allclose(on_device.embed(texts), embedder.embed(texts), atol=1e-5)
    np.testing.assert_allclose(list(on_device.embed_stream(texts)), embedder.embed(texts), atol=1e-5)
    np.testing.assert_allclose(on_device.similarity(texts[:1], texts), embedder.similarity(texts[:1], texts), atol=1e-3)


def test_prompts_by_role_are_in_the_file(both, tmp_path):
    plain, _ = both
    embedder = TextEmbedder(plain.encoder, plain.tokenizer, max_length=20, prompts={"query": "Red dog: "})
    embedder.export(tmp_path / "encoder.tflite", format="litert")
    on_device, texts = keras_transformer.load(tmp_path / "encoder.tflite"), ["a house", "", "x " * 19]
    assert on_device.prompts == embedder.prompts
    with pytest.warns(UserWarning, match="number 3"):
        wanted = embedder.embed_queries(texts)
    with pytest.warns(UserWarning, match="number 3"):
        np.testing.assert_allclose(on_device.embed_queries(texts), wanted, atol=1e-5)
    np.testing.assert_allclose(on_device.embed_documents(texts), plain.embed(texts), atol=1e-5)
    np.testing.assert_array_equal(on_device.num_tokens(texts, "query"), embedder.num_tokens(texts, "query"))
    with pytest.raises(ValueError, match=r"a prompt of \['query'\]. Received: 'answer'"):
        on_device.embed(texts, prompt="answer")


def test_says_what_is_truncated(both):
    embedder, on_device = both
    texts = ["a dog", "red house " * 30]
    assert on_device.num_tokens(texts).numpy().tolist() == np.asarray(embedder.num_tokens(texts)).tolist()
    with pytest.warns(UserWarning, match="number 2"):
        found = on_device.embed(texts)
    with pytest.warns(UserWarning, match="number 2"):
        np.testing.assert_allclose(found, embedder.embed(texts), atol=1e-5)


def test_counts_word_pieces(tmp_path):
    embedder, on_device = made(WordPieceTokenizer(VOCABULARY), tmp_path / "encoder.tflite")
    texts = made_texts.nasty(100)
    assert on_device.num_tokens(texts).numpy().tolist() == np.asarray(embedder.num_tokens(texts)).tolist()


def test_is_loaded_from_its_path(both):
    _, on_device = both
    for load in (keras_transformer.load, load_embedder):
        loaded = load(on_device.path)
        assert isinstance(loaded, LiteRtEmbedder)
        np.testing.assert_array_equal(loaded.embed(["a dog"]), on_device.embed(["a dog"]))


def test_threads(both):
    _, on_device = both
    np.testing.assert_allclose(
        LiteRtEmbedder(on_device.path, num_threads=2).embed(["a dog"]), on_device.embed(["a dog"]), atol=1e-6
    )
    with pytest.raises(ValueError, match="num_threads"):
        LiteRtEmbedder(on_device.path, num_threads=0)


def test_other_files_are_refused(both, tmp_path):
    import zipfile

    path = tmp_path / "x.tflite"
    with pytest.raises(FileNotFoundError):
        LiteRtEmbedder(path)
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match="Expected a model of LiteRT. Received .*: it is something else"):
        LiteRtEmbedder(path)
    path.write_bytes(b"\x00\x00\x00\x00TFL3")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("vocab.txt", "a")
    with pytest.raises(ValueError, match=r"Expected a file that TextEmbedder.export wrote. Received .*: no keras_tr"):
        LiteRtEmbedder(path)
    whole = (tmp_path / "whole.tflite", both[1].path)
    with open(whole[1], "rb") as file:
        data = file.read()
    whole[0].write_bytes(data[:8] + b"\xff" * 400 + data[408:])
    with pytest.raises(ValueError, match="Expected a whole model of LiteRT. Received .*whole.tflite: it is damaged"):
        LiteRtEmbedder(whole[0])


@pytest.mark.filterwarnings("ignore:.*max_length")
def test_several_lengths_in_one_file(tmp_path):
    """Each text goes to the signature of the shortest length that it fits; the weights are stored once."""
    tokenizer = WordPieceTokenizer(VOCABULARY)
    encoder = DeepAveragingNetwork(tokenizer.vocabulary_size, 5000, hidden_dim=8, output_dim=6, num_layers=1)
    reference.randomize(encoder, seed=1)
    embedder = TextEmbedder(encoder, tokenizer, max_length=20)
    embedder.export(tmp_path / "one.tflite", format="litert")
    embedder.export(tmp_path / "several.tflite", format="litert", lengths=[16, 8, 16, 99])
    sizes = [(tmp_path / f"{name}.tflite").stat().st_size for name in ("one", "several")]
    assert sizes[1] < 1.3 * sizes[0]
    on_device = LiteRtEmbedder(tmp_path / "several.tflite")
    texts = made_texts.nasty(60)
    np.testing.assert_allclose(on_device.embed(texts), embedder.embed(texts), atol=1e-5)
    assert sorted(on_device._runners) == [8, 16, 168]
    for lengths, message in (([], "Expected lengths of at least 3"), ([2], "at least 3"), (["a"], "positive integer")):
        with pytest.raises(ValueError, match=message):
            embedder.export(tmp_path / "x.tflite", format="litert", lengths=lengths)
    with pytest.raises(ValueError, match="Expected format='litert' with lengths"):
        embedder.export(tmp_path / "x", lengths=[16])
