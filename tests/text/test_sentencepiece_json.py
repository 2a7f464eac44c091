import io

import pytest
import sentencepiece

from keras_transformer.text import SubwordTokenizer, sentencepiece_json
from keras_transformer.text.sentencepiece_json import NO_TEXT, sentencepiece_parts


def trained(**options):
    """A model by the library itself, with our special ids."""
    model = io.BytesIO()
    ids = {"pad_id": 0, "unk_id": 1, "bos_id": 2, "eos_id": 3}
    options = {"vocab_size": 20, "hard_vocab_limit": False, "minloglevel": 2, **ids, **options}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a dog runs", "two dogs"] * 9), model_writer=model, **options
    )
    return model.getvalue()


def test_merges_are_those_of_the_pieces(monkeypatch):
    monkeypatch.setattr(sentencepiece_json, "normalizers_of", lambda *args: [])  # which takes seconds
    tokenizer = SubwordTokenizer.from_texts(["a dog runs", "two dogs"] * 9, 24, model_type="bpe")
    parts = sentencepiece_parts(tokenizer.model)
    vocabulary, merges = parts["model"]["vocab"], parts["model"]["merges"]
    assert list(vocabulary)[:4] == [f"{name}{NO_TEXT}" for name in ("<pad>", "<unk>", "<s>", "</s>")]
    assert {"".join(pair) for pair in merges} == {piece for piece in list(vocabulary)[4:] if len(piece) > 1}
    assert [token["content"] for token in parts["added_tokens"]] == [f"<pad>{NO_TEXT}"]


@pytest.mark.parametrize(
    "options, message",
    [
        (
            {"model_type": "char"},
            "Expected a SentencePiece model of type unigram or bpe .*Received: char",
        ),
        ({"user_defined_symbols": ["<x>"]}, r"without user-defined pieces. Received: \['<x>'\]"),
        ({"add_dummy_prefix": False}, "that puts spaces before words, .* Received: .*'add_dummy_prefix': False"),
        ({"treat_whitespace_as_suffix": True}, "Received: treat_whitespace_as_suffix=True"),
    ],
    ids=str,
)
def test_what_such_a_file_cannot_describe_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        sentencepiece_parts(trained(**options))
