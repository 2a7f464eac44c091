import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.data import ParallelText
from keras_transformer.data.batching import bucket_lengths
from keras_transformer.text import ByteTokenizer, SubwordTokenizer
from tests import made_data


@pytest.fixture
def files(write_lines):
    sources, targets = made_data.pairs(200)
    return write_lines("a.source", sources), write_lines("a.target.gz", targets)


def rows(dataset):
    """All (source ids, target ids, labels) without padding, as tuples."""
    found = []
    for inputs, labels in dataset.as_numpy_iterator():
        for parts in zip(inputs["source_ids"], inputs["target_ids"], labels):
            found.append(tuple(tuple(ids[ids != 0].tolist()) for ids in parts))
    return found


def byte_ids(text):
    return tuple(byte + 4 for byte in text.encode())


def test_an_epoch_has_each_pair_once_with_begin_and_end(files):
    data = ParallelText(*files, ByteTokenizer(), max_length=64)
    assert data.num_pairs == 200 and data.count_skipped() == 0
    sources, targets = made_data.pairs(200)
    wanted = [((*byte_ids(s), 3), (2, *byte_ids(t)), (*byte_ids(t), 3)) for s, t in zip(sources, targets)]
    assert sorted(rows(data.batches(256, seed=1))) == sorted(wanted)
    assert sorted(rows(data.batches(256, shuffle=False))) == sorted(wanted)


def test_a_tab_separated_file_has_the_pairs_of_two_files(files, write_lines):
    sources, targets = made_data.pairs(200)
    lines = ["\t".join(pair) for pair in zip(sources, targets)]
    paths = [write_lines("a.tsv", lines[:150]), write_lines("b.tsv.gz", [line + "\r" for line in lines[150:]])]
    data = ParallelText(paths, None, ByteTokenizer(), max_length=64)
    assert data.num_pairs == 200 and data.count_skipped() == 0
    assert (list(data.source_lines()), list(data.target_lines())) == (sources, targets)
    of_two = ParallelText(*files, ByteTokenizer(), max_length=64)
    assert rows(data.batches(256, seed=1, epoch=0)) == rows(of_two.batches(256, seed=1, epoch=0))
    assert (list(of_two.source_lines()), list(of_two.target_lines())) == (sources, targets)


def test_token_budget_and_little_padding(files):
    data = ParallelText(*files, ByteTokenizer(), max_length=64)
    real = padded = 0
    for inputs, labels in data.batches(256).as_numpy_iterator():
        for ids in (inputs["source_ids"], labels):
            assert ids.size <= 256 and ids.dtype == np.int32
            real, padded = real + (ids != 0).sum(), padded + ids.size
    assert real / padded > 0.8


def test_shuffling_changes_each_epoch_and_follows_the_seed(files):
    data = ParallelText(*files, ByteTokenizer(), max_length=64)
    dataset = data.batches(256, seed=5)
    first, second = rows(dataset), rows(dataset)
    assert first != second and sorted(first) == sorted(second)
    assert rows(data.batches(256, seed=5)) == first
    still = data.batches(256, shuffle=False)
    assert rows(still) == rows(still)


def test_fixed_shapes_are_few_and_full(files):
    data = ParallelText(*files, ByteTokenizer(), max_length=64)
    shapes = {
        (inputs["source_ids"].shape, inputs["target_ids"].shape)
        for inputs, _ in data.batches(256, fixed_shapes=True).as_numpy_iterator()
    }
    lengths = bucket_lengths(64)
    assert shapes and all(
        source == target and source[1] in lengths and source[0] == 256 // source[1] for source, target in shapes
    )


def test_long_and_empty_pairs_are_skipped_and_counted(write_lines):
    source = write_lines("s", ["ab", "abcdefgh", "", "abc"])
    target = write_lines("t", ["AB", "x", "x", "ABCD"])
    data = ParallelText(source, target, ByteTokenizer(), max_length=5)
    assert data.num_pairs == 4 and data.count_skipped() == 2
    assert {row[0] for row in rows(data.batches(5))} == {(*byte_ids("ab"), 3), (*byte_ids("abc"), 3)}


def test_several_files(write_lines, files):
    more = write_lines("b.source", ["dog"]), write_lines("b.target", ["god"])
    data = ParallelText([files[0], more[0]], [files[1], more[1]], ByteTokenizer(), max_length=64)
    assert data.num_pairs == 201 and len(rows(data.batches(64))) == 201


def test_bad_sizes(files):
    with pytest.raises(ValueError, match="Expected a positive integer. Received: max_length=0"):
        ParallelText(*files, ByteTokenizer(), max_length=0)
    with pytest.raises(
        ValueError, match="Expected tokens_per_batch to hold a sequence of max_length=64. Received: tokens_per_batch=63"
    ):
        ParallelText(*files, ByteTokenizer(), max_length=64).batches(63)


def ids_of(data):
    return [(x["source_ids"].numpy().tolist(), x["target_ids"].numpy().tolist()) for x, _ in data]


@pytest.fixture
def subwords(write_lines):
    sources, targets = made_data.pairs(60)
    files = write_lines("b.source", sources), write_lines("b.target", targets)
    return ParallelText(*files, SubwordTokenizer.from_files(files, 60, model_type="bpe"), max_length=64)


@pytest.mark.parametrize("options", [{}, {"bpe_dropout": 0.1}, {"both_directions": True}], ids=str)
def test_an_epoch_is_a_function_of_seed_and_number(subwords, options):
    def epoch(number, seed=3):
        return subwords.batches(64, seed=seed, epoch=number, **options)

    data = epoch(1)
    first = ids_of(data)
    assert ids_of(data) == first  # in each pass
    assert len(first) > 10 and ids_of(epoch(1).skip(3)) == first[3:]
    assert ids_of(epoch(2)) != first != ids_of(epoch(1, seed=4))
    without_number = subwords.batches(64, seed=3, **options)
    assert ids_of(without_number) != ids_of(without_number)


def test_bpe_dropout_segments_otherwise(subwords):
    plain, dropped = rows(subwords.batches(256)), rows(subwords.batches(256, bpe_dropout=0.3))
    for side in (0, 1):
        texts, others = (
            subwords.source_tokenizer.detokenize(tf.ragged.constant([row[side] for row in found])).numpy()
            for found in (plain, dropped)
        )
        assert sorted(texts) == sorted(others)
        assert sum(len(row[side]) for row in dropped) > 1.1 * sum(len(row[side]) for row in plain)


def test_both_directions(files):
    plain = ParallelText(*files, ByteTokenizer(), max_length=64)
    swapped = ParallelText(*reversed(files), ByteTokenizer(), max_length=64)
    both = rows(plain.batches(256, both_directions=True))
    assert sorted(both) == sorted(rows(plain.batches(256)) + rows(swapped.batches(256)))


def test_bad_options(files, subwords):
    with pytest.raises(ValueError, match="Expected a seed with an epoch. Received: epoch=2, seed=None"):
        subwords.batches(64, epoch=2)
    with pytest.raises(ValueError, match=r"Expected a number in \[0, 1\). Received: bpe_dropout=1"):
        subwords.batches(64, bpe_dropout=1)
    plain = ParallelText(*files, ByteTokenizer(), max_length=64)
    with pytest.raises(ValueError, match="method `sample`. Received: .'ByteTokenizer'"):
        plain.batches(64, bpe_dropout=0.1)
    two = ParallelText(*files, ByteTokenizer(), ByteTokenizer(), max_length=64)
    with pytest.raises(ValueError, match="one tokenizer for both directions. Received two"):
        two.batches(64, both_directions=True)
