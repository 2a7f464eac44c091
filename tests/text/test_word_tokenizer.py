import keras
import pytest
import tensorflow as tf

from keras_transformer.text import WordTokenizer

WORDS = ["the", "dog", "runs", ".", "größe", "3", "漢字"]


def ids(tokenizer, text, **options):
    return tokenizer.tokenize([text], **options).to_list()[0]


@pytest.fixture
def tokenizer():
    return WordTokenizer(WORDS, num_hash_buckets=50)


def test_words_have_their_ids_and_others_a_bucket(tokenizer):
    assert ids(tokenizer, "The dog  RUNS.") == [4, 5, 6, 7]
    assert ids(tokenizer, "GRÖSSE Größe größe3\t漢字") == [ids(tokenizer, "grösse")[0], 8, 8, 9, 10]
    unknown = ids(tokenizer, "zebra Zebra xylophone")
    assert unknown[0] == unknown[1] != unknown[2]
    assert all(11 <= i < 61 for i in unknown)
    assert tokenizer.vocabulary_size == 61
    assert ids(tokenizer, "") == ids(tokenizer, " \u3000\n") == []
    assert ids(tokenizer, "the\0dog\0 runs") == [4, 5, 6]
    assert ids(tokenizer, "the dog runs", max_length=2) == [4, 5]


def test_the_hash_is_that_of_core_tensorflow(tokenizer):
    expected = int(tf.strings.to_hash_bucket_fast(["zebra"], (1 << 63) - 1)[0]) % 50
    assert ids(tokenizer, "zebra") == [11 + expected]


def test_punctuation_stands_alone(tokenizer):
    pieces = tokenizer.ids_to_pieces(tf.constant(ids(tokenizer, "the...dog")))
    assert [piece.decode() for piece in pieces.numpy()] == ["the", ".", ".", ".", "dog"]


def test_back_to_text(tokenizer):
    found = tokenizer.detokenize(tokenizer(["The dog runs.", "a zebra", ""]))
    assert [text.decode() for text in found.numpy()] == ["the dog runs .", "⁇ ⁇", ""]


def test_the_most_frequent_words_make_the_vocabulary():
    tokenizer = WordTokenizer.from_texts(["b a b", "A c b d", "d"], vocabulary_size=4 + 3 + 10, num_hash_buckets=10)
    assert tokenizer.vocabulary == ["b", "a", "d"]
    small = WordTokenizer.from_texts(["b a"], vocabulary_size=1000, num_hash_buckets=10)
    assert small.vocabulary == ["a", "b"]


def test_comes_back_from_its_config(tokenizer):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(tokenizer))
    assert ids(copy, "the zebra runs") == ids(tokenizer, "the zebra runs")
    assert copy.get_config() == tokenizer.get_config()


def test_in_a_graph(tokenizer):
    function = tf.function(tokenizer.tokenize, input_signature=[tf.TensorSpec([None], tf.string)])
    assert function(["the dog", "x"]).to_list() == tokenizer.tokenize(["the dog", "x"]).to_list()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: WordTokenizer(["a", "b", "a"]), r"Received twice: \['a'\]"),
        (lambda: WordTokenizer(["a"], 0), "Expected a positive integer. Received: num_hash_buckets=0"),
        (
            lambda: WordTokenizer.from_texts(["a"], 1004),
            r"vocabulary_size above 4 \+ num_hash_buckets. Received: vocabulary_size=1004, num_hash_buckets=1000",
        ),
        (lambda: WordTokenizer.from_texts(["", " "], 2000), "Expected texts with words"),
        (lambda: WordTokenizer.from_texts("a", 2000), "Expected an iterable of strings. Received a single one: 'a'"),
    ],
)
def test_bad_values(make, message):
    with pytest.raises(ValueError, match=message):
        make()
