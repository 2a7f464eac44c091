import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.data import ParallelText
from keras_transformer.data.parallel_text import bucket_lengths
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
    assert data.num_pairs == 200 and data.num_left_out() == 0
    sources, targets = made_data.pairs(200)
    wanted = [((*byte_ids(s), 3), (2, *byte_ids(t)), (*byte_ids(t), 3)) for s, t in zip(sources, targets)]
    assert sorted(rows(data.batches(256, seed=1))) == sorted(wanted)
    assert sorted(rows(data.batches(256, shuffle=False))) == sorted(wanted)


def test_pairs_are_those_that_read_lines_gives(tmp_path, write_lines):
    """TensorFlow's own reader would keep a byte order mark, and drop the line ends of old Macs."""
    (tmp_path / "cr").write_bytes(b"x\ry\rz\r")
    data = ParallelText(write_lines("mark.gz", ["\ufeffa", "b", "c"]), tmp_path / "cr", ByteTokenizer(), max_length=9)
    wanted = [((*byte_ids(s), 3), (2, *byte_ids(t)), (*byte_ids(t), 3)) for s, t in zip("abc", "xyz")]
    assert sorted(rows(data.batches(256, seed=1))) == wanted


def test_a_tab_separated_file_has_the_pairs_of_two_files(files, write_lines):
    sources, targets = made_data.pairs(200)
    lines = ["\t".join(pair) for pair in zip(sources, targets)]
    paths = [write_lines("a.tsv", lines[:150]), write_lines("b.tsv.gz", [line + "\r" for line in lines[150:]])]
    data = ParallelText(paths, None, ByteTokenizer(), max_length=64)
    assert data.num_pairs == 200 and data.num_left_out() == 0
    assert (list(data.source_lines()), list(data.target_lines())) == (sources, targets)
    of_two = ParallelText(*files, ByteTokenizer(), max_length=64)
    assert rows(data.batches(256, seed=1, epoch=0)) == rows(of_two.batches(256, seed=1, epoch=0))
    assert (list(of_two.source_lines()), list(of_two.target_lines())) == (sources, targets)


@pytest.mark.parametrize("line, count", [("only one", 1), ("a\tb\tc", 3), ("", 1)])
def test_a_line_that_is_no_pair_is_named(line, count, write_lines):
    path = write_lines("a.tsv", ["red dog\troter Hund", line])
    with pytest.raises(ValueError, match=rf"a.tsv, line 2: expected 2 columns \(source, target\).*Received: {count}$"):
        ParallelText(path, None, ByteTokenizer())


def test_padding_is_what_stands_behind_the_last_token(files):
    """A tokenizer may have the padding id for a text that spells the padding token."""
    data = ParallelText(*files, ByteTokenizer(), max_length=64)
    inputs, labels = data._teacher_forcing(None, tf.constant([[2, 5, 0, 6, 3], [2, 7, 3, 0, 0]]))
    np.testing.assert_array_equal(inputs["target_ids"], [[2, 5, 0, 6], [2, 7, 0, 0]])
    np.testing.assert_array_equal(labels, [[5, 0, 6, 3], [7, 3, 0, 0]])


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


def test_long_and_empty_pairs_are_left_out_and_counted(write_lines):
    source = write_lines("s", ["ab", "abcdefgh", "", "abc"])
    target = write_lines("t", ["AB", "x", "x", "ABCD"])
    data = ParallelText(source, target, ByteTokenizer(), max_length=5)
    assert data.num_pairs == 4 and data.num_left_out() == 2
    assert {row[0] for row in rows(data.batches(5))} == {(*byte_ids("ab"), 3), (*byte_ids("abc"), 3)}


def test_several_files(write_lines, files):
    more = write_lines("b.source", ["dog"]), write_lines("b.target", ["god"])
    data = ParallelText([files[0], more[0]], [files[1], more[1]], ByteTokenizer(), max_length=64)
    assert data.num_pairs == 201 and len(rows(data.batches(64))) == 201


@pytest.mark.parametrize("extra_on", ["source", "target"])
def test_misaligned_files_are_named(write_lines, extra_on):
    lines = {"source": ["a", "b"], "target": ["c", "d"]}
    lines[extra_on].append("e")
    paths = [write_lines(name, lines[name]) for name in ("source", "target")]
    ended = "target" if extra_on == "source" else "source"
    with pytest.raises(ValueError, match=rf"{ended} ends after line 2, .*{extra_on} has a line 3"):
        ParallelText(*paths, ByteTokenizer())


def test_undecodable_empty_and_missing_files(write_lines, tmp_path):
    good = write_lines("good", ["a"])
    with pytest.raises(ValueError, match="bad, line 1: expected UTF-8"):
        ParallelText(good, write_lines("bad", [b"\xff"]), ByteTokenizer())
    with pytest.raises(ValueError, match="Received empty files"):
        ParallelText(write_lines("e1", []), write_lines("e2", []), ByteTokenizer())
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ParallelText(good, tmp_path / "nowhere", ByteTokenizer())


def test_bad_sizes(files):
    with pytest.raises(ValueError, match="max_length=0"):
        ParallelText(*files, ByteTokenizer(), max_length=0)
    with pytest.raises(ValueError, match="max_length=64. Received: tokens_per_batch=63"):
        ParallelText(*files, ByteTokenizer(), max_length=64).batches(63)


@pytest.mark.parametrize("longest", [3, 8, 9, 100, 256])
def test_bucket_lengths_grow_to_the_longest(longest):
    lengths = bucket_lengths(longest)
    assert lengths[-1] == longest and lengths == sorted(set(lengths))


def ids_of(data):
    return [(x["source_ids"].numpy().tolist(), x["target_ids"].numpy().tolist()) for x, _ in data]


@pytest.fixture
def subwords(files):
    return ParallelText(*files, SubwordTokenizer.from_files(files, 60, model_type="bpe"), max_length=64)


@pytest.mark.parametrize("options", [{}, {"bpe_dropout": 0.1}, {"both_directions": True}], ids=str)
def test_an_epoch_is_a_function_of_seed_and_number(subwords, options):
    def epoch(number, seed=3):
        return subwords.batches(64, seed=seed, epoch=number, **options)

    first = ids_of(epoch(1))
    assert ids_of(epoch(1)) == first
    data = epoch(1)
    assert ids_of(data) == ids_of(data) == first  # each pass over it
    assert ids_of(epoch(1).skip(5)) == first[5:]
    assert ids_of(epoch(2)) != first != ids_of(epoch(1, seed=4))
    without_number = subwords.batches(64, seed=3, **options)
    assert ids_of(without_number) != ids_of(without_number)


def test_bpe_dropout_segments_otherwise(subwords):
    def texts(data, side):
        tokenizer = subwords.source_tokenizer
        return sorted(text for x, _ in data for text in tokenizer.detokenize(x[side]).numpy())

    plain, dropped = subwords.batches(64), subwords.batches(64, bpe_dropout=0.3)
    for side in ("source_ids", "target_ids"):
        assert texts(plain, side) == texts(dropped, side)
    assert sum(len(row[0]) for row in rows(dropped)) > 1.1 * sum(len(row[0]) for row in rows(plain))


def test_both_directions(files):
    plain = ParallelText(*files, ByteTokenizer(), max_length=64)
    swapped = ParallelText(*reversed(files), ByteTokenizer(), max_length=64)
    both = rows(plain.batches(64, both_directions=True))
    assert sorted(both) == sorted(rows(plain.batches(64)) + rows(swapped.batches(64)))


def test_bad_options(files, subwords):
    with pytest.raises(ValueError, match="epoch=2, seed=None"):
        subwords.batches(64, epoch=2)
    with pytest.raises(ValueError, match="bpe_dropout=1"):
        subwords.batches(64, bpe_dropout=1)
    plain = ParallelText(*files, ByteTokenizer(), max_length=64)
    with pytest.raises(ValueError, match="method `sample`. Received: .'ByteTokenizer'"):
        plain.batches(64, bpe_dropout=0.1)
    two = ParallelText(*files, ByteTokenizer(), ByteTokenizer(), max_length=64)
    with pytest.raises(ValueError, match="one tokenizer for both directions. Received two"):
        two.batches(64, both_directions=True)
