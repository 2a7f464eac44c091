import json

import pytest

from keras_transformer import TextEmbedder
from keras_transformer.models import BertEncoder, SentenceEncoder
from keras_transformer.pipelines import onnx_export
from keras_transformer.text import ByteTokenizer, WordPieceTokenizer
from tests.text.test_word_piece_tables import VOCABULARY


def bert(max_length=20, truncate_dim=None, **options):
    encoder = BertEncoder(len(VOCABULARY), 1, 16, 32, 2, max_length=24, **options)
    return TextEmbedder(encoder, WordPieceTokenizer(VOCABULARY), max_length=max_length, truncate_dim=truncate_dim)


@pytest.fixture
def without_model(monkeypatch):
    """What is written but for the model, for which tf2onnx would be needed."""
    monkeypatch.setattr(onnx_export, "check_installed", lambda: None)
    monkeypatch.setattr(onnx_export, "onnx_model", lambda function: b"model")


@pytest.mark.parametrize(
    "options, pooling, normalizes, width",
    [
        ({}, "mean_tokens", True, 16),
        ({"pooling": "max", "normalize": False, "truncate_dim": 5}, "max_tokens", True, 5),
        # The vector itself, for each token.
        ({"pooling": ["mean", "max"]}, "mean_tokens", False, 32),
    ],
    ids=str,
)
def test_the_folder_is_that_of_sentence_transformers(options, pooling, normalizes, width, without_model, tmp_path):
    bert(**options).export(tmp_path / "folder", format="onnx")

    def read(name):
        return json.loads((tmp_path / "folder" / name).read_text(encoding="utf-8"))

    flags = read("1_Pooling/config.json")
    assert flags.pop("word_embedding_dimension") == read("config.json")["hidden_size"] == width
    assert [name for name, value in flags.items() if value] == [f"pooling_mode_{pooling}"]
    kinds = [module["type"].rsplit(".", 1)[1] for module in read("modules.json")]
    assert kinds == ["Transformer", "Pooling", *(["Normalize"] if normalizes else [])]
    assert read("tokenizer_config.json")["model_max_length"] == read("tokenizer.json")["truncation"]["max_length"] == 20
    assert (tmp_path / "folder" / "onnx" / "model.onnx").read_bytes() == b"model"


def test_prompts_are_followed_or_refused(without_model, tmp_path):
    prompts = {"prompts": {"query": "dog: ", "document": ""}, "default_prompt": "query"}
    encoder = bert()
    embedder = TextEmbedder(encoder.encoder, encoder.tokenizer, max_length=20, **prompts)
    embedder.export(tmp_path / "folder", format="onnx")
    written = json.loads((tmp_path / "folder" / "config_sentence_transformers.json").read_text(encoding="utf-8"))
    assert (written["prompts"], written["default_prompt_name"]) == (prompts["prompts"], "query")
    TextEmbedder(encoder.encoder, encoder.tokenizer, prompts={"query": "q: ", "passage": "p: "}).export(
        tmp_path / "passages", format="onnx"
    )
    written = json.loads((tmp_path / "passages" / "config_sentence_transformers.json").read_text())
    assert written["prompts"] == {"query": "q: ", "passage": "p: ", "document": "p: "}  # for `encode_document`
    with pytest.raises(ValueError, match="without a default prompt for a file .*Received: 'query'"):
        embedder.export(tmp_path / "encoder.onnx", format="onnx")
    assert not (tmp_path / "encoder.onnx").exists()


def test_what_cannot_be_exported_is_refused(translator, without_model, tmp_path):
    path = tmp_path / "folder"
    for options, message in [
        ({"dtype": "int8"}, "Expected one of .*float32.*Received: dtype='int8'"),
        ({"int8_embeddings": True}, "Expected none of .*with format='onnx'"),
    ]:
        with pytest.raises(ValueError, match=message):
            bert().export(path, format="onnx", **options)
    with pytest.raises(ValueError, match="Expected a TextEmbedder with format='onnx'. Received: a Translator"):
        translator.export(path, format="onnx")
    tokenizer = ByteTokenizer()
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 16, 32, 2, output_dim=12)
    for name in ("folder", "file.onnx"):
        with pytest.raises(ValueError, match="Expected a SubwordTokenizer or a WordPieceTokenizer for this format"):
            TextEmbedder(encoder, tokenizer).export(tmp_path / name, format="onnx")
        assert not (tmp_path / name).exists()
    path.mkdir()
    with pytest.raises(FileExistsError, match="Expected a path that does not exist"):
        bert().export(path, format="onnx")
