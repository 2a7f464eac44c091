import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.text import ByteTokenizer


def test_ids_are_bytes_and_four():
    ids = ByteTokenizer()(["aé", ""], add_begin=True, add_end=True)
    np.testing.assert_array_equal(ids, [[2, 0x61 + 4, 0xC3 + 4, 0xA9 + 4, 3], [2, 3, 0, 0, 0]])


@pytest.mark.parametrize("text", ["", "A dog.", "한국어 — naïve", "\n\t\x00", "x" * 100_000])
def test_any_text_comes_back(text):
    tokenizer = ByteTokenizer()
    assert tokenizer.detokenize(tokenizer([text], add_end=True)).numpy()[0].decode() == text


def test_invalid_utf8_in_and_out():
    tokenizer = ByteTokenizer()
    assert tokenizer.detokenize(tokenizer([b"a\xffb"])).numpy()[0].decode() == "a\ufffdb"
    broken = tf.constant([[0xC3 + 4, 0x61 + 4]])  # as a model may generate
    assert tokenizer.detokenize(broken).numpy()[0].decode() == "\ufffda"


def test_special_ids_have_no_text():
    assert ByteTokenizer().detokenize([[2, 1, 0x61 + 4, 0, 3, 0x62 + 4]]).numpy() == [b"a"]


def test_no_texts():
    assert ByteTokenizer()([]).shape == (0, 1)
    assert ByteTokenizer().vocabulary_size == 260


def test_round_trip_in_a_model(tmp_path):
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, ByteTokenizer(name="bytes")(texts))
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(reloaded(tf.constant(["ab"])), [[0x61 + 4, 0x62 + 4]])
