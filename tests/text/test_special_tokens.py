import pytest
import tensorflow as tf

from keras_transformer.text.special_tokens import ids_of, separated


def test_ids_are_positions():
    assert ids_of(["a", "<pad>", "b", "</s>"], ["</s>", "<pad>"]) == [3, 1]
    assert ids_of(["a"], []) == []


@pytest.mark.parametrize(
    "vocabulary, message",
    [
        (["a", "b", "a", "<pad>"], r"Expected a vocabulary of different tokens. Received twice: \['a'\]"),
        (["a", "b"], r"Expected a vocabulary with the special tokens. Received one without \['<pad>'\]"),
    ],
)
def test_bad_vocabularies(vocabulary, message):
    with pytest.raises(ValueError, match=message):
        ids_of(vocabulary, ["<pad>"])


def test_the_first_and_longest_token_counts():
    texts = tf.constant(["[a][a]b", "(.)", "", "[[a]bc"])
    wanted = ["|[a]||[a]b|", "|(.)|", "", "[|[a]b|c"]
    assert [text.decode() for text in separated(texts, ["[a]", "(.)", "[a]b"], "|").numpy()] == wanted
