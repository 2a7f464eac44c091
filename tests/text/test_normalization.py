import pytest
import tensorflow as tf

from keras_transformer.text.normalization import bert_steps, normalize, separate_words


@pytest.mark.parametrize(
    "steps, text, wanted",
    [
        ([], "Café\u2028ＤＯＧ\x01", "Café\u2028ＤＯＧ\x01"),
        (["nfc"], "cafe\u0301", "café"),
        (["nfd"], "café", "cafe\u0301"),
        (["nfkc"], "ＤＯＧ ﬁ ½", "DOG fi 1⁄2"),
        (["nfkd"], "é ﬁ", "e\u0301 fi"),
        (["clean_text"], "d\x00o\u200bg\ufeff\x7f\ufffd\u2028\ta", "dog  a"),
        (["split_ideographs"], "a漢字b가", "a 漢  字 b가"),
        (["nfd", "strip_accents"], "café a\u0903", "cafe a\u0903"),  # which is a spacing mark
        (["nfd", "strip_marks"], "café a\u0903", "cafe a"),
        (["strip_accents"], "café", "café"),  # one character, not a letter and its accent
        (["lower_case"], "ΑΣ ÄRGER", "ασ ärger"),  # not a final sigma
        (["lower_case", "nfkc"], "Ⅷ", "viii"),
        (["nfkc", "lower_case"], "Ⅷ", "viii"),
    ],
)
def test_steps(steps, text, wanted):
    assert normalize(tf.constant([text]), steps).numpy()[0].decode() == wanted


def test_kept_characters():
    text = tf.constant(["\ue000a\ue001\x01"])
    assert normalize(text, ["clean_text"]).numpy()[0].decode() == "a"
    assert normalize(text, ["clean_text"], kept="\ue000\ue002").numpy()[0].decode() == "\ue000a"


def test_steps_of_bert():
    assert bert_steps(True, None, True) == ["clean_text", "split_ideographs", "nfd", "strip_accents", "lower_case"]
    assert bert_steps(True, False, False) == ["clean_text", "lower_case"]
    assert bert_steps(False, None, True) == ["clean_text", "split_ideographs"]
    assert bert_steps(False, True, False) == ["clean_text", "nfd", "strip_accents"]


@pytest.mark.parametrize(
    "pre_tokenizer, wanted",
    [
        ("bert", ["dog", ".", ".", "x1", "_", "가", "+", "b"]),
        ("words", ["dog", "..", "x1_가", "+", "b"]),
        ("whitespace", ["dog..", "x1_가", "+b"]),
    ],
)
def test_words_of_pre_tokenizers(pre_tokenizer, wanted):
    texts = separate_words(tf.constant(["dog..\u3000x1_가\x85+b"]), pre_tokenizer)
    assert texts.numpy()[0].decode().split() == wanted
