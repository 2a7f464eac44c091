import json

import pytest

from keras_transformer.text import ByteTokenizer, WordPieceTokenizer
from keras_transformer.text.tokenizer_json import padding_token, tokenizer_json
from tests import made_texts
from tests.text.test_word_piece_tables import VOCABULARY


def word_pieces(**options):
    return WordPieceTokenizer(VOCABULARY, **options)


def test_the_normalizer_of_bert():
    parts = tokenizer_json(word_pieces(lower_case=False), 9)
    flags = {"clean_text": True, "handle_chinese_chars": True, "strip_accents": False, "lowercase": False}
    assert parts["normalizer"] == {"type": "BertNormalizer", **flags}
    assert (parts["truncation"]["max_length"], padding_token(parts, 0)) == (9, "[PAD]")
    assert [token["id"] for token in parts["added_tokens"]] == [0, 1, 2, 3, 4]


def test_other_normalizers():
    steps = ["nfkd", "strip_accents", "strip_marks", "lower_case", "nfc", "clean_text"]
    parts = tokenizer_json(word_pieces(normalization=steps, pre_tokenizer="words"), 9)
    kinds = [normalizer["type"] for normalizer in parts["normalizer"]["normalizers"]]
    assert kinds == ["NFKD", "BertNormalizer", "StripAccents", "Lowercase", "NFC", "BertNormalizer"]
    assert parts["pre_tokenizer"] == {"type": "Whitespace"}
    assert tokenizer_json(word_pieces(normalization=[]), 9)["normalizer"] is None


def test_what_such_a_file_cannot_describe_is_refused():
    with pytest.raises(ValueError, match="Expected nfd or nfkd before strip_accents for this format"):
        tokenizer_json(word_pieces(normalization=["strip_accents"]), 9)
    with pytest.raises(ValueError, match="Expected a SubwordTokenizer or a Word.*Received: ByteTokenizer"):
        tokenizer_json(ByteTokenizer(), 9)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lower_case": False},
        {"strip_accents": False, "max_word_length": 4},
        {"normalization": ["nfkd", "strip_accents", "lower_case"], "pre_tokenizer": "words"},
        {"normalization": ["clean_text"], "pre_tokenizer": "whitespace", "added_tokens": ["[MASK]"]},
    ],
    ids=str,
)
def test_ids_are_those_of_the_library(options):
    tokenizers = pytest.importorskip("tokenizers")
    ours, texts = word_pieces(**options), [*made_texts.nasty(300), "a [MASK] dog", "[PAD] a"]
    theirs = tokenizers.Tokenizer.from_str(json.dumps(tokenizer_json(ours, 30)))
    assert [theirs.encode(text).ids for text in texts] == ours.tokenize(texts, max_length=30).to_list()
