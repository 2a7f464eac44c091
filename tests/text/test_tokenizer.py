import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.text import ByteTokenizer, SubwordTokenizer, Tokenizer
from keras_transformer.text.tokenizer import as_strings, with_ends

A, B, C = 101, 102, 103  # ids of bytes


class EndedBytes(ByteTokenizer):
    adds_ends = True


def test_the_ids_of_our_own_tokenizers():
    assert (Tokenizer.padding_id, Tokenizer.unknown_id, Tokenizer.begin_id, Tokenizer.end_id) == (0, 1, 2, 3)


def test_ends_are_added_where_they_are_asked_for():
    assert ByteTokenizer().tokenize(["ab", ""]).to_list() == [[A, B], []]
    assert ByteTokenizer().tokenize(["ab", ""], add_begin=True).to_list() == [[2, A, B], [2]]
    assert EndedBytes().tokenize(["ab", ""]).to_list() == [[2, A, B, 3], [2, 3]]
    assert EndedBytes().tokenize(["ab", ""], add_begin=False).to_list() == [[A, B, 3], [3]]


def test_max_length_keeps_the_ends():
    texts = ["abc", "a", ""]
    assert ByteTokenizer().tokenize(texts, max_length=2).to_list() == [[A, B], [A], []]
    assert EndedBytes().tokenize(texts, max_length=3).to_list() == [[2, A, 3], [2, A, 3], [2, 3]]


@pytest.mark.parametrize("tokenizer", [ByteTokenizer(), EndedBytes()], ids=lambda tokenizer: type(tokenizer).__name__)
@pytest.mark.parametrize("length", [2, 3, 4, 5, 9])
def test_truncated_ids_are_those_of_max_length(tokenizer, length):
    texts = ["abc", "abcdefg", "", "ab"]
    wanted = tokenizer.tokenize(texts, max_length=length).to_list()
    assert tokenizer.truncate(tokenizer.tokenize(texts), length).to_list() == wanted


def test_max_length_without_room_for_the_ends():
    message = "Expected max_length to leave room for the begin and end ids. Received: max_length=1"
    with pytest.raises(ValueError, match=message):
        ByteTokenizer()(["a"], add_begin=True, add_end=True, max_length=1)
    with pytest.raises(ValueError, match=message):
        EndedBytes().truncate(tf.ragged.constant([[2, A, 3]]), 1)


def test_padding():
    np.testing.assert_array_equal(ByteTokenizer()(["ab", "", "a"]), [[A, B], [0, 0], [A, 0]])
    np.testing.assert_array_equal(ByteTokenizer()(["", ""]), [[0], [0]])
    assert ByteTokenizer()([]).shape == (0, 1)


def test_detokenize_stops_at_the_end_id():
    tokenizer = ByteTokenizer()
    assert tokenizer.detokenize(tf.constant([[2, A, B, 3, C, 0]])).numpy() == [b"ab"]
    assert tokenizer.detokenize(tf.ragged.constant([[A, C], []])).numpy().tolist() == [b"ac", b""]


def test_ids_outside_the_vocabulary_are_unknown():
    tokenizer = SubwordTokenizer.from_texts(["a dog"] * 9, 20)
    assert tokenizer.detokenize([[999, -5]]).numpy()[0].decode().split() == ["⁇", "⁇"]


def test_ids_before_and_behind_ragged_rows():
    ids = tf.ragged.constant([[5, 6], [], [7]], dtype="int32")
    begin, end = tf.constant([1, 2, 3]), tf.constant([8, 9, 10])
    assert with_ends(ids, begin, end).to_list() == [[1, 5, 6, 8], [2, 9], [3, 7, 10]]
    assert with_ends(ids, end=end).to_list() == [[5, 6, 8], [9], [7, 10]]
    assert with_ends(ids).to_list() == ids.to_list()


@pytest.mark.parametrize("texts", [["a", b"b"], np.array(["a", "b"]), tf.constant(["a", "b"]), ("a", "b")], ids=repr)
def test_strings_of_every_kind(texts):
    assert as_strings(texts).numpy().tolist() == [b"a", b"b"]


@pytest.mark.parametrize(
    "texts, received",
    [
        ("one string", "a single string, 'one string'"),
        ([1, 2], r"\[1, 2\]"),
        ([["nested"]], r"shape \(1, 1\)"),
        (tf.constant("scalar"), r"shape \(\)"),
        (5, "5"),
        (iter(["dog"]), "<list_iterator"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_bad_texts(texts, received):
    message = f"Expected a list of strings or a string tensor of rank 1. Received: {received}"
    with pytest.raises(ValueError, match=message):
        ByteTokenizer()(texts)
