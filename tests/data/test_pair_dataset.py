import pytest
import tensorflow as tf

from keras_transformer.data import pair_dataset
from keras_transformer.data.pair_dataset import line_pairs, sampled_pairs, tokenized_pairs
from keras_transformer.text import ByteTokenizer, SubwordTokenizer
from tests.made_data import sentences


def texts(dataset):
    return [tuple(text.decode() for text in pair) for pair in dataset.as_numpy_iterator()]


@pytest.fixture
def paths(write_lines):
    return [write_lines("a", ["a", "b"]), write_lines("b.gz", ["c"])], [write_lines("c", ["x", "y", ""])]


def test_lines_of_two_texts(paths):
    assert texts(line_pairs(*paths)) == [("a", "x"), ("b", "y"), ("c", "")]


def test_lines_of_tab_separated_files(write_lines):
    tables = [write_lines("a.tsv", ["a\tx", "b\ty\r"]), write_lines("b.tsv.gz", ["c\t"])]
    assert texts(line_pairs(tables, None)) == [("a", "x"), ("b", "y"), ("c", "")]


def test_each_pair_is_followed_by_its_reverse(paths):
    assert texts(line_pairs(*paths, both_directions=True))[:4] == [("a", "x"), ("x", "a"), ("b", "y"), ("y", "b")]


def test_lines_are_those_that_read_lines_gives(tmp_path, write_lines):
    """TensorFlow's own reader would keep a byte order mark, and not split lines at the line ends of old Macs."""
    (tmp_path / "cr").write_bytes(b"x\ry\r")
    assert texts(line_pairs([write_lines("mark.gz", ["\ufeffa", "b"])], [str(tmp_path / "cr")])) == [
        ("a", "x"),
        ("b", "y"),
    ]


def test_ids_of_pairs(paths):
    ids = tokenized_pairs(line_pairs(*paths), ByteTokenizer(), ByteTokenizer())
    assert [(source.numpy().tolist(), target.numpy().tolist()) for source, target in ids] == [
        ([101, 3], [2, 124, 3]),
        ([102, 3], [2, 125, 3]),
        ([103, 3], [2, 3]),
    ]


def test_each_batch_of_lines_is_sampled_with_the_next_seed(write_lines, monkeypatch):
    monkeypatch.setattr(pair_dataset, "_LINES_AT_ONCE", 3)
    texts = sentences(5)
    path = write_lines("a", texts)
    tokenizer = SubwordTokenizer.from_files(path, 60, model_type="bpe")
    ids = list(sampled_pairs(line_pairs([path], [path]), tokenizer, tokenizer, 0.3, tf.data.Dataset.range(5, 9)))
    sources, targets = (
        tokenizer.sample(texts[:3], 0.3, seed) + tokenizer.sample(texts[3:], 0.3, seed + 1) for seed in (5, 6)
    )
    assert sources != targets
    assert [source.numpy().tolist() for source, _ in ids] == [[*row, 3] for row in sources]
    assert [target.numpy().tolist() for _, target in ids] == [[2, *row, 3] for row in targets]
