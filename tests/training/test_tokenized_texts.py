import numpy as np

from keras_transformer.text import WordTokenizer
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
