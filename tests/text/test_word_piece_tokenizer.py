import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.text import WordPieceTokenizer

VOCABULARY = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "dog", "##s", "run", "cafe", "café", "Dog", "漢", "字", ".",
    "σ", "##σ", "a", "##a", "é", "##é", "[", "]", "mask",
]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer():
    return WordPieceTokenizer(VOCABULARY)


def pieces(tokenizer, text, **options):
    options = {"add_begin": False, "add_end": False, **options}
    return [VOCABULARY[i] for i in tokenizer.tokenize([text], **options).to_list()[0]]


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("The dogs run.", ["the", "dog", "##s", "run", "."]),
        ("THE\tdog\n\u00a0run\u2028\u3000a", ["the", "dog", "run", "a"]),
        ("Café CAFE\u0301", ["cafe", "cafe"]),
        ("漢字dog", ["漢", "字", "dog"]),
        ("d\x00o\u200bg\ufeff\x7f\ufffd", ["dog"]),
        ("ΣΣ", ["σ", "##σ"]),  # not a final sigma
        ("cat dog", ["[UNK]", "dog"]),
        ("dogx", ["[UNK]"]),
        ("a" * 100, ["a"] + ["##a"] * 99),
        ("a" * 101, ["[UNK]"]),
        ("[MASK]dog[mask][CLS]", ["[MASK]", "dog", "[", "mask", "]", "[CLS]"]),
        ("\ue000dog\ue001", ["dog"]),  # as special tokens are marked inside
        ("", []),
        (" \x01 ", []),
        (b"\xffdog", ["dog"]),
    ],
)
def test_words_and_subwords(tokenizer, text, wanted):
    assert pieces(tokenizer, text) == wanted


def test_the_limit_counts_characters_not_bytes():
    tokenizer = WordPieceTokenizer(VOCABULARY, strip_accents=False)
    assert pieces(tokenizer, "é" * 100) == ["é"] + ["##é"] * 99
    assert pieces(tokenizer, "É" * 101) == ["[UNK]"]


def test_cased_and_other_options():
    cased = WordPieceTokenizer(VOCABULARY, lower_case=False, split_ideographs=False)
    assert pieces(cased, "Dog DOG café 漢字") == ["Dog", "[UNK]", "café", "[UNK]"]
    assert pieces(WordPieceTokenizer(VOCABULARY, lower_case=False, strip_accents=True), "café Dog") == ["cafe", "Dog"]


@pytest.mark.parametrize(
    "steps, text, wanted",
    [
        (["nfkc", "lower_case"], "ＤＯＧ Dog é", ["dog", "dog", "é"]),
        (["lower_case"], "DOG\0 dog\ue000 DOG", ["[UNK]", "[UNK]", "dog"]),
        (["lower_case", "clean_text"], "DOG\0 dog\ue000 DOG", ["dog", "dog", "dog"]),
    ],
)
def test_steps_of_normalization(steps, text, wanted):
    assert pieces(WordPieceTokenizer(VOCABULARY, normalization=steps), text) == wanted


@pytest.mark.parametrize(
    "pre_tokenizer, wanted",
    [
        ("bert", ["dog", ".", ".", "[UNK]", "a"]),
        ("words", ["dog", "[UNK]", "[UNK]", "a"]),
        ("whitespace", ["[UNK]", "[UNK]", "a"]),
    ],
)
def test_pre_tokenizers(pre_tokenizer, wanted):
    tokenizer = WordPieceTokenizer(VOCABULARY, pre_tokenizer=pre_tokenizer)
    assert pieces(tokenizer, "dog.. x1 a") == wanted


def test_the_longest_word(tokenizer):
    short = WordPieceTokenizer(VOCABULARY, max_word_length=3)
    assert pieces(short, "aaa aaaa dogs") == ["a", "##a", "##a", "[UNK]", "[UNK]"]


def test_tokens_that_are_looked_for_in_the_normalized_text():
    arguments = {"other_tokens": ["[MASK]", "Dog", "a"], "normalized_tokens": ["Dog"]}
    tokenizer = WordPieceTokenizer(VOCABULARY, **arguments)
    # As letters in a word, too.
    wanted = ["Dog", "[UNK]", "[UNK]", "a", "[UNK]", "a", "[", "[UNK]", "a", "[UNK]", "]"]
    assert pieces(tokenizer, "DOGs ran A [Mask]") == wanted
    assert pieces(WordPieceTokenizer(VOCABULARY, added_tokens=["[MASK]"]), "[MASK]") == ["[MASK]"]
    only_whole = WordPieceTokenizer(VOCABULARY, other_tokens=["a", "[MASK]"], added_tokens=["a"])
    assert pieces(only_whole, "a A aa") == ["a", "[UNK]", "a", "a"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"normalization": ["nfc", "fold"]}, "Expected one of .*Received: normalization='fold'"),
        ({"pre_tokenizer": "sentences"}, "Expected one of .'bert', .*Received: pre_tokenizer='sentences'"),
        ({"max_word_length": 0}, "Expected a positive integer. Received: max_word_length=0"),
        ({"normalized_tokens": ["dog"]}, r"among the special tokens. Received: \['dog'\]"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        WordPieceTokenizer(VOCABULARY, **arguments)


def test_the_ends_stand_around_each_text(tokenizer):
    np.testing.assert_array_equal(
        tokenizer(["dog", "", "the dogs"]), [[2, 6, 3, 0, 0], [2, 3, 0, 0, 0], [2, 5, 6, 7, 3]]
    )
    np.testing.assert_array_equal(tokenizer(["the dogs"], max_length=3), [[2, 5, 3]])
    np.testing.assert_array_equal(tokenizer(["the dogs"], add_begin=False), [[5, 6, 7, 3]])


def test_special_tokens_of_another_name():
    vocabulary = ["<s>", "<pad>", "</s>", "[UNK]", "dog", "<mask>"]
    tokenizer = WordPieceTokenizer(vocabulary, True, None, True, "<pad>", "[UNK]", "<s>", "</s>", ["<mask>"])
    np.testing.assert_array_equal(tokenizer(["dog x<mask>", "dog"]), [[0, 4, 3, 5, 2], [0, 4, 2, 1, 1]])
    assert tokenizer.detokenize(tokenizer(["dog", ""])).numpy().tolist() == [b"dog", b""]


def test_back_to_text(tokenizer):
    assert tokenizer.detokenize(tokenizer(["The dogs run"])).numpy() == [b"the dogs run"]


def test_comes_back_from_its_config_and_runs_in_a_graph(tokenizer):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(tokenizer))
    assert copy.get_config() == tokenizer.get_config()
    graph = tf.function(copy.tokenize, input_signature=[tf.TensorSpec([None], tf.string)])
    texts = ["the dogs", "", "a" * 101]
    assert graph(tf.constant(texts)).to_list() == tokenizer.tokenize(texts).to_list()
    assert graph(tf.constant([], tf.string)).to_list() == []
