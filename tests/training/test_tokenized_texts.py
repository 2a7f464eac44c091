import numpy as np

from keras_transformer.text import ByteTokenizer, WordPieceTokenizer, WordTokenizer
from keras_transformer.training.tokenized_texts import TokenizedTexts

WORDS = ["red", "dog", "blue", "cat"]
TEXTS = ["red dog", "", "cat", "red dog blue cat", "blue"]


def texts(**options):
    return TokenizedTexts(WordTokenizer(WORDS), TEXTS, **options)


def test_padded_is_what_the_tokenizer_gives():
    tokenizer = WordTokenizer(WORDS)
    for numbers in ([0, 1, 2], [3], [1], [4, 0, 0, 3]):
        wanted = tokenizer.tokenize([TEXTS[i] for i in numbers]).to_tensor(tokenizer.padding_id).numpy()
        found = texts(batch_size=2).padded(numbers)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found[:, : wanted.shape[1]], wanted)
        assert found.shape[1] == max(1, wanted.shape[1])


def test_long_and_empty_texts_are_counted():
    of = texts(max_length=3)
    assert (of.num_truncated, of.num_empty) == (1, 1)
    assert of.lengths.tolist() == [2, 0, 1, 3, 1]


def test_by_length_keeps_the_order_of_equals():
    assert texts().by_length([0, 4, 3, 2, 1]).tolist() == [4, 1, 3, 0, 2]


def test_micro_batches_hold_their_padding():
    sorted_texts = np.array([1, 2, 4, 0, 3])  # of 0, 1, 1, 2 and 4 tokens
    parts = [part.tolist() for part in texts().micro_batches(sorted_texts, 4)]
    assert parts == [[1, 2, 4], [0], [3]]
    assert [part.tolist() for part in texts().micro_batches(sorted_texts, 100)] == [sorted_texts.tolist()]


def test_some_tokens_are_deleted_and_one_stays():
    texts = TokenizedTexts(ByteTokenizer(), ["a" * 200, "b", "", "c" * 300], max_length=400)
    left = texts.without_some([3, 0, 1, 2, 0], 0.6, np.random.default_rng(0))
    assert abs(left.lengths[:2] / [300, 200] - 0.4).max() < 0.1
    assert left.lengths[2:4].tolist() == [1, 0] and left.lengths[4] != left.lengths[1]
    first = ByteTokenizer().tokenize(["c", "a", "b"]).to_list()
    padded = left.padded(np.arange(3))
    assert [sorted({*row} - {0}) for row in padded.tolist()] == first
    again = texts.without_some([3, 0, 1, 2, 0], 0.6, np.random.default_rng(0))
    np.testing.assert_array_equal(left.values, again.values)
    assert texts.lengths.tolist() == [200, 1, 0, 300]
    # A token of a short text stays, even if all are to go.
    assert texts.without_some([0], 1 - 1e-9, np.random.default_rng(0)).lengths.tolist() == [1]


def test_ends_are_put_around_texts_and_stay():
    texts = TokenizedTexts(ByteTokenizer(), ["ab", "", "abc"])
    a, b, c = ByteTokenizer().tokenize(["abc"]).to_list()[0]
    assert texts.with_ends([2, 1, 0]).tolist() == [[2, a, b, c, 3], [2, 3, 0, 0, 0], [2, a, b, 3, 0]]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"]
    texts = TokenizedTexts(WordPieceTokenizer(vocabulary), ["a b a b", ""])
    assert texts.with_ends([1, 0]).tolist() == [[2, 3, 0, 0, 0, 0], [2, 5, 6, 5, 6, 3]]
    left = texts.without_some([0, 1], 1 - 1e-9, np.random.default_rng(0))
    assert left.lengths.tolist() == [3, 2]
    assert left.padded([0])[0, [0, 2]].tolist() == [2, 3] and left.padded([1]).tolist() == [[2, 3]]
