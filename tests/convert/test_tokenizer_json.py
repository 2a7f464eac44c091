"""Each part of a tokenizer.json as settings of `WordPieceTokenizer`, or refused by name."""

import json
import pathlib

import pytest

from keras_transformer.convert.tokenizer_json import bert_normalization, read_pipeline

SERIALIZED = json.loads((pathlib.Path(__file__).parent / "golden" / "bert" / "tokenizer.json").read_text())


def test_what_is_read():
    pipeline = read_pipeline("here", SERIALIZED)
    assert pipeline.normalization == ["clean_text", "split_ideographs", "nfd", "strip_accents", "lower_case"]
    assert (pipeline.pre_tokenizer, pipeline.unknown_token, pipeline.max_word_length) == ("bert", "[UNK]", 100)
    assert (pipeline.ends, pipeline.decoder) == (("[CLS]", "[SEP]"), "WordPiece")
    assert pipeline.ids["[SEP]"] == 3 and "dog" in pipeline.subwords and "[MASK]" in pipeline.added


def test_steps_of_a_bert_normalizer():
    assert bert_normalization(lowercase=False) == ["clean_text", "split_ideographs"]
    assert bert_normalization(False, False, strip_accents=False) == ["lower_case"]
    assert bert_normalization(False, False, strip_accents=True, lowercase=False) == ["nfd", "strip_accents"]


def test_normalizers_in_a_sequence():
    parts = {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Strip"}, {"type": "StripAccents"}]}
    pipeline = read_pipeline("here", {**SERIALIZED, "normalizer": parts})
    assert (pipeline.normalization, pipeline.bert_flags) == (["nfkc", "strip_marks"], None)


@pytest.mark.parametrize(
    "parts, message",
    [
        ({"model": {"type": "BPE", "vocab": {}}}, "Expected a WordPiece model with ## in .* Received: type='BPE'"),
        ({"model": {"type": "WordPiece"}}, "Expected model.vocab, .* Received: NoneType"),
        ({"normalizer": {"type": "Precompiled"}}, "the normalizers .* Received: Precompiled"),
        ({"normalizer": {"type": "Sequence", "normalizers": [{"type": "Replace"}]}}, "ed: Replace"),
        ({"normalizer": {"type": "BertNormalizer", "lowercase": 1}}, "Received: {'lowercase': 1}"),
        ({"pre_tokenizer": {"type": "ByteLevel"}}, "a pre-tokenizer of .* Received: ByteLevel"),
        ({"pre_tokenizer": None}, "a pre-tokenizer of .* Received: None"),
        ({"post_processor": None}, "a post-processor that puts one token .* Received: None"),
        (
            {"post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 5]}},
            r"the ids of the vocabulary .* Received: '\[CLS\]' with 5, in the vocabulary 2",
        ),
        (
            {"post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 1}}]}},
            r"Received: TemplateProcessing of \['A'\] with the types \[1\]",
        ),
        ({"truncation": {"direction": "Left"}}, "truncation on the right .* direction='Left'"),
        ({"padding": {"direction": "Left"}}, "padding on the right .* direction='Left'"),
        ({"surprise": 1}, "Expected the parts .* Received: surprise"),
        (
            {"added_tokens": [{"id": 50, "content": "dog", "single_word": True}]},
            "without single_word .* Received: dog",
        ),
    ],
)
def test_what_is_refused(parts, message):
    with pytest.raises(ValueError, match=message) as error:
        read_pipeline("here", {**SERIALIZED, **parts})
    assert "here/tokenizer.json" in str(error.value)
