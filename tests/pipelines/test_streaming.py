import itertools
import warnings

import numpy as np
import pytest

from keras_transformer.pipelines.embedding import as_array
from keras_transformer.pipelines.streaming import Limit, in_batches, in_length_order, text_rows


def test_order_is_kept_and_batches_are_of_like_lengths():
    texts = ["x" * (7 * i % 50) for i in range(192)]
    batches = []

    def process(batch):
        batches.append(batch)
        return [len(text) for text in batch]

    assert list(in_length_order(iter(texts), 3, process)) == [len(text) for text in texts]
    assert all(len(batch) <= 3 for batch in batches)
    assert max(len(batch[-1]) - len(batch[0]) for batch in batches) <= 6


def test_reads_only_what_it_must():
    read = itertools.count()
    texts = (str(next(read)) for _ in itertools.repeat(None))
    assert next(in_length_order(texts, 2, list)) == "0"
    assert next(read) == 64


def test_bad_input():
    with pytest.raises(ValueError, match="batch_size=0"):
        next(in_length_order(["a"], 0, list))
    with pytest.raises(ValueError, match="a single one: 'ab'"):
        next(in_length_order("ab", 1, list))


LIMIT = Limit("max_length", 8, "embedded")


def length_of(texts):
    return [np.array([len(text)], "float32") for text in texts], [len(text) for text in texts]


def test_rows():
    assert list(text_rows(texts=["가", b"\xff"])) == [("가".encode(),), (b"\xff",)]
    assert list(text_rows(texts=iter("ab"), contexts=["c", ""])) == [(b"a", b"c"), (b"b", b"")]


@pytest.mark.parametrize(
    "columns, message",
    [
        ({"texts": "ab"}, "a single one: 'ab' (texts)"),
        ({"texts": ["a", 1]}, "Expected strings. Received: 1 (texts, number 2)"),
        ({"texts": [None]}, "Expected strings. Received: None (texts, number 1)"),
        ({"texts": ["ab\ud800"]}, "Received: character 3, '\\ud800', is a lone surrogate (texts, number 1)"),
        ({"texts": ["a"], "contexts": []}, "equally many texts and contexts. Received: 0 contexts and more texts"),
        ({"texts": ["a"], "contexts": ["b", "c"]}, "Received: 1 texts and more contexts"),
    ],
)
def test_bad_rows(columns, message):
    with pytest.raises(ValueError) as error:
        list(text_rows(**columns))
    assert message in str(error.value)


def test_an_array_of_any_number():
    texts = ["x" * (7 * i % 50) for i in range(300)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vectors = as_array(in_batches(text_rows(texts=texts), 2, length_of, LIMIT._replace(length=50)), 1)
    assert vectors.dtype == "float32"
    np.testing.assert_array_equal(vectors[:, 0], [len(text) for text in texts])
    assert as_array(in_batches(text_rows(texts=[]), 2, length_of, LIMIT), 3).shape == (0, 3)


def test_one_warning_names_what_was_cut():
    texts = ["x" * (i % 10) for i in range(100)]
    with pytest.warns(UserWarning) as warned:
        list(in_batches(text_rows(texts=texts), 3, length_of, LIMIT))
    assert [str(warning.message) for warning in warned] == [
        "10 of 100 texts have more than max_length=8 tokens (number 10, 20, 30, 40, 50, ...); "
        "their ends are not embedded"
    ]


def test_a_reader_who_stops_is_warned_too():
    endless = (text for text in itertools.cycle(["xxx", "x"]))
    stream = in_batches(text_rows(texts=endless), 1, length_of, LIMIT._replace(length=2), stacklevel=2)
    assert next(stream) == 3
    with pytest.warns(UserWarning, match="16 of 32 texts .* \\(number 1, 3, 5, 7, 9, ...\\)") as warned:
        stream.close()
    assert warned[0].filename == __file__
