import itertools

import pytest

from keras_transformer.pipelines.streaming import in_length_order


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
