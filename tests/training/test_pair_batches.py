import numpy as np
import pytest

from keras_transformer.text import ByteTokenizer
from keras_transformer.training import PairData
from keras_transformer.training.pair_batches import PairBatches

NUMBERS = range(11)
DATA = PairData([("a" * number, "b" * (1 + number // 2)) for number in NUMBERS], np.asarray(NUMBERS) / 10)


def make(**options):
    return PairBatches(DATA, ByteTokenizer(), **{"max_length": 40, "batch_size": 4, **options})


def rows(batches, epoch=0):
    """The pairs of each batch, by their targets."""
    return [np.rint(np.ravel(y) * 10).astype(int).tolist() for _, y in batches.of_epoch(epoch)]


def test_a_batch_holds_the_ids_and_the_segments_of_its_pairs():
    for inputs, targets in make().of_epoch(0):
        ids, segments = inputs["ids"].numpy(), inputs["segment_ids"].numpy()
        numbers = np.rint(targets[:, 0] * 10).astype(int)
        assert (ids != 0).sum(axis=1).tolist() == [number + 1 + number // 2 + 3 for number in numbers]
        assert (segments * (ids != 0)).sum(axis=1).tolist() == [2 + number // 2 for number in numbers]
        assert (ids == 3).sum(axis=1).tolist() == [2] * 4 and (ids[:, 0] == 2).all()


def test_epochs_have_each_pair_once_in_other_orders():
    batches = make()
    first, second = rows(batches), rows(batches, epoch=1)
    assert first != second and first == rows(make()) != rows(make(seed=1))
    for epoch in (first, second):
        assert list(map(len, epoch)) == [4, 4] and len({*epoch[0], *epoch[1]}) == 8
        assert all(batch == sorted(batch) for batch in epoch)  # by length


def test_large_batches_are_split():
    batches = make(max_tokens=80)  # two pairs of 40
    assert batches.micro_batches == 2
    split = rows(batches)
    assert [split[0] + split[1], split[2] + split[3]] == rows(make())
    assert make(batch_size=100).batch_size == 11


def test_classes_and_truncation():
    classes = PairData([("a", "b"), ("c" * 9, "d")], [2, 0], ["x", "y", "z"])
    batches = PairBatches(classes, ByteTokenizer(), max_length=6, batch_size=2)
    ((inputs, targets),) = batches.of_epoch(0)
    assert batches.num_truncated == 1 and inputs["ids"].shape == (2, 6)
    assert targets.numpy().tolist() == [[0, 0, 1], [1, 0, 0]]
    with pytest.raises(ValueError, match="batch_size=0"):
        make(batch_size=0)
