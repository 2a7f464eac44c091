import base64

import keras
import numpy as np
import pytest
import sentencepiece
import tensorflow as tf

from keras_transformer.text import SubwordTokenizer
from tests.made_data import sentences

CORPUS = sentences(300)


@pytest.fixture(scope="module")
def tokenizer():
    return SubwordTokenizer.from_texts(CORPUS, 30)


def test_equals_the_sentencepiece_library(tokenizer):
    processor = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.model)
    assert tokenizer.vocabulary_size == processor.vocab_size() == 30
    assert tokenizer.tokenize(CORPUS).to_list() == processor.encode(CORPUS)
    assert [t.decode() for t in tokenizer.detokenize(tokenizer(CORPUS)).numpy()] == CORPUS


def test_special_ids_and_padding(tokenizer):
    ids = tokenizer(["dog", "red dog runs"], add_begin=True, add_end=True).numpy()
    lengths = tokenizer.tokenize(["dog", "red dog runs"]).row_lengths().numpy() + 2
    for row, length in zip(ids, lengths):
        assert row[0] == 2 and row[length - 1] == 3
        assert (row[length:] == 0).all() and (row[1 : length - 1] > 3).all()


def test_files_plain_and_gzipped_give_the_same_vocabulary(tokenizer, write_lines):
    plain, packed = write_lines("a.txt", CORPUS), write_lines("a.txt.gz", CORPUS)
    assert SubwordTokenizer.from_files(plain, 30).model == tokenizer.model
    assert SubwordTokenizer.from_files([packed], 30).model == tokenizer.model


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_a_line_without_end_trains_as_its_words_do(model_type, monkeypatch):
    """Whole it takes minutes, quadratic in its length."""
    lines = []
    train = sentencepiece.SentencePieceTrainer.train

    def seen(sentence_iterator, **options):
        lines.extend(sentence_iterator)
        train(sentence_iterator=iter(lines), **options)

    monkeypatch.setattr(sentencepiece.SentencePieceTrainer, "train", seen)
    long = SubwordTokenizer.from_texts([*CORPUS, "hedgehog " * 100_000, "x" * 5000], 40, model_type=model_type)
    assert max(map(len, lines)) == 1000
    assert " ".join(lines).split().count("hedgehog") == 100_000 and sum(line.count("x") for line in lines) >= 5000
    pieces = long.ids_to_pieces(list(range(long.vocabulary_size))).numpy()
    assert "▁hedgehog" in [piece.decode() for piece in pieces]


def test_bpe_and_split_digits():
    tokenizer = SubwordTokenizer.from_texts(["1984 2001 1999 1991"] * 5, 30, model_type="bpe", split_digits=True)
    pieces = tokenizer.ids_to_pieces(tokenizer.tokenize(["1984"]).values).numpy()
    assert [p.decode().replace("▁", "") for p in pieces if p.decode() != "▁"] == list("1984")


def test_case_is_folded_where_it_is_wanted():
    texts = ["Der Hund läuft", "ÄRGER im Haus"] * 5
    folded = SubwordTokenizer.from_texts(texts, 40, lower_case=True)
    upper, lower = folded.tokenize(["DER HUND, Ärger", "der hund, ärger"]).to_list()
    assert upper == lower
    assert folded.detokenize(folded(["DER HUND ÄRGER"])).numpy()[0].decode() == "der hund ärger"
    kept = SubwordTokenizer.from_texts(texts, 40)
    assert kept.detokenize(kept(["Der ÄRGER"])).numpy()[0].decode() == "Der ÄRGER"


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("", ""),
        ("   \t ", ""),
        (b"\xff\xfe dog", "dog"),  # U+FFFD, which SentencePiece normalizes to a space
        ("漢字", " ⁇ "),  # only unknown characters
        ("dog " * 20_000, ("dog " * 20_000).strip()),
    ],
    ids=["empty", "spaces", "invalid UTF-8", "unknown", "long"],
)
def test_unusual_strings(tokenizer, text, wanted):
    (result,) = tokenizer.detokenize(tokenizer([text], add_end=True)).numpy()
    assert result.decode() == wanted


def test_unknown_characters_are_id_1(tokenizer):
    assert 1 in tokenizer.tokenize(["漢"]).values.numpy()


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_bytes_stand_in_for_unknown_characters(model_type):
    tokenizer = SubwordTokenizer.from_texts(
        ["a red dog runs", "빨간 개가 달린다"] * 9, vocabulary_size=310, model_type=model_type, byte_fallback=True
    )
    texts = ["a dog 쀍 漢字", "🙂 get_value(x)", "빨간 개"]
    ids = tokenizer(texts).numpy()
    assert 1 not in ids  # the unknown id
    assert [text.decode() for text in tokenizer.detokenize(ids).numpy()] == texts
    pieces = tokenizer.ids_to_pieces(tokenizer(["쀍"])).numpy()[0].tolist()
    assert pieces[-3:] == [f"<0x{byte:02X}>".encode() for byte in "쀍".encode()]


def test_in_a_functional_model_saved_with_its_vocabulary(tokenizer, tmp_path):
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, tokenizer(texts))
    model.save(tmp_path / "model.keras")
    model.export(tmp_path / "exported", verbose=False)
    inputs = tf.constant(["red dog", "", "cat"])
    wanted = tokenizer(inputs).numpy()
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(inputs), wanted)
    np.testing.assert_array_equal(tf.saved_model.load(tmp_path / "exported").serve(inputs), wanted)


def test_from_model_file(tokenizer, tmp_path):
    (tmp_path / "m.model").write_bytes(tokenizer.model)
    assert SubwordTokenizer.from_model_file(tmp_path / "m.model").model == tokenizer.model
    with pytest.raises(FileNotFoundError, match="missing.model"):
        SubwordTokenizer.from_model_file(tmp_path / "missing.model")


@pytest.mark.parametrize("model", [b"junk", base64.b64encode(b"junk").decode()])
def test_not_a_model(model):
    with pytest.raises(ValueError, match="Expected a serialized SentencePiece model"):
        SubwordTokenizer(model)


def test_other_special_ids(tmp_path):
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_prefix=str(tmp_path / "m"), vocab_size=30, minloglevel=2
    )  # with its own default ids
    with pytest.raises(ValueError, match="Received: padding=-1, unknown=0, begin=1, end=2"):
        SubwordTokenizer.from_model_file(tmp_path / "m.model")


@pytest.mark.parametrize(
    "texts, size, message",
    [
        ([], 100, "Expected a corpus for 100 unigram subwords"),
        ("one string", 100, "Expected an iterable of strings. Received a single one: 'one string'"),
        (["abcdefghijklmnop"], 10, "smaller than required_chars"),
        (CORPUS, 0, "Expected a positive integer. Received: vocabulary_size=0"),
    ],
)
def test_bad_corpus(texts, size, message):
    with pytest.raises(ValueError, match=message):
        SubwordTokenizer.from_texts(texts, size)


def test_bad_files_keep_their_own_errors(write_lines, tmp_path):
    with pytest.raises(FileNotFoundError, match="^Expected a text file. Received: .*nowhere"):
        SubwordTokenizer.from_files(tmp_path / "nowhere", 30)
    with pytest.raises(ValueError, match="^.*bad.txt, line 2: expected UTF-8"):
        SubwordTokenizer.from_files(write_lines("bad.txt", ["a dog", b"\xff"]), 30)
