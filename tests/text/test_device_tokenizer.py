import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.text import ByteTokenizer, SubwordTokenizer, WordPieceTokenizer, WordTokenizer
from keras_transformer.text.device_tokenizer import device_tokenizer, lower_ascii, token_ids
from keras_transformer.text.sentencepiece_model import load_processor
from tests import made_data, made_texts
from tests.text.test_word_piece_tables import VOCABULARY

TEXTS = made_texts.nasty(300)


def on_device(tokenizer, texts):
    """What a runtime does: looks up the ids of pieces by what they spell."""
    processor = load_processor(tokenizer.model)
    return [
        [processor.piece_to_id(piece) for piece in processor.encode(lower_ascii(text), out_type=str)] for text in texts
    ]


@pytest.mark.parametrize("options", [{}, {"model_type": "bpe"}, {"byte_fallback": True}], ids=str)
def test_subwords(options):
    texts = [*made_data.sentences(200), "한국어 문장", "le café"]
    tokenizer = SubwordTokenizer.from_texts(texts, 330, lower_case=True, **options)
    found = on_device(device_tokenizer(tokenizer), TEXTS)
    assert found == tokenizer.tokenize(TEXTS).to_list()
    assert device_tokenizer(tokenizer).spaces is None


def test_control_pieces_are_spelled_by_no_text():
    tokenizer = SubwordTokenizer.from_texts(["dog"] * 9, 9, lower_case=True)
    assert load_processor(tokenizer.model).piece_to_id("</s>") == 3
    assert on_device(device_tokenizer(tokenizer), ["</s>"])[0] == tokenizer.tokenize(["</s>"]).to_list()[0]


def batch(rows):
    """Pieces (N, T) with an id of any kind behind each text, which are counted, and others behind them."""
    width = max(map(len, rows)) + 3
    ids = [row + [0] + [9] * (width - len(row) - 1) for row in rows]
    return tf.constant(ids), tf.constant([len(row) + 1 for row in rows])


def test_word_pieces():
    tokenizer = WordPieceTokenizer(VOCABULARY)
    device = device_tokenizer(tokenizer)
    signature = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]
    cut = tf.function(lambda ids, counts: token_ids(device, tokenizer, ids, counts, 99), input_signature=signature)
    pieces, rows = on_device(device, TEXTS), tokenizer.tokenize(TEXTS, max_length=99).to_list()
    for start in range(0, len(TEXTS), 10):
        found = cut(*batch(pieces[start : start + 10])).numpy().tolist()
        assert found == [row + [0] * (len(found[0]) - len(row)) for row in rows[start : start + 10]]


def test_a_word_with_an_unknown_part_is_one_unknown_token():
    tokenizer = WordPieceTokenizer(VOCABULARY, max_word_length=6)
    device = device_tokenizer(tokenizer)
    pieces = on_device(device, ["a runs dogq s", "running a", "runnsn a", ""])
    found = token_ids(device, tokenizer, *batch(pieces), 99).numpy().tolist()
    expected = [[2, 5, 7, 8, 1, 1, 3], [2, 1, 5, 3], [2, 7, 9, 8, 9, 5, 3], [2, 3]]
    assert [row[: len(wanted)] for row, wanted in zip(found, expected)] == expected
    assert not any(any(row[len(wanted) :]) for row, wanted in zip(found, expected))


def test_a_device_that_keeps_case():
    tokenizer = WordPieceTokenizer([*VOCABULARY, "Dog"], lower_case=False)
    device = device_tokenizer(tokenizer, keeps_case=True)
    processor = load_processor(device.model)
    ids = batch([processor.encode(text) for text in ("Dog", "dog Dog")])
    expected = tokenizer(["Dog", "dog Dog"]).numpy()
    np.testing.assert_array_equal(token_ids(device, tokenizer, *ids, 9)[:, : expected.shape[1]], expected)


@pytest.mark.parametrize(
    "tokenizer, received",
    [
        (ByteTokenizer(), "Received: ByteTokenizer"),
        (WordTokenizer(["a"]), "Received: WordTokenizer"),
        (WordPieceTokenizer(VOCABULARY, lower_case=False), "keeps case"),
        (SubwordTokenizer.from_texts(["a dog", "Dog"] * 9, 20), "keeps case"),
    ],
    ids=["bytes", "words", "word pieces", "subwords"],
)
def test_tokenizers_that_devices_lack_are_refused(tokenizer, received):
    with pytest.raises(ValueError, match=f"for this format.*{received}"):
        device_tokenizer(tokenizer)


def test_only_ascii_is_made_lower_case():
    assert lower_ascii("ABZ ÉΣ中") == "abz ÉΣ中"
    assert np.unique([len(lower_ascii(text)) == len(text) for text in TEXTS]).tolist() == [True]
