import pytest

from keras_transformer.data import count_pairs
from keras_transformer.data.pairs import read_column


def test_pairs_of_two_texts(write_lines):
    source, more, target = write_lines("a", ["x", "y"]), write_lines("b.gz", ["z"]), write_lines("c", ["1", "2", "3"])
    assert count_pairs([source, more], target) == 3
    assert count_pairs(source, source) == 2


def test_pairs_of_tab_separated_files(write_lines):
    paths = [write_lines("a.tsv", ["x\t1", "y\t"]), write_lines("b.tsv.gz", ["\t3\r"])]
    assert count_pairs(paths) == 3 and count_pairs(paths[0]) == 2
    assert (list(read_column(paths, 0)), list(read_column(paths, 1))) == (["x", "y", ""], ["1", "", "3"])


@pytest.mark.parametrize("line, count", [("only one", 1), ("a\tb\tc", 3), ("", 1)])
def test_a_line_that_is_no_pair_is_named(line, count, write_lines):
    path = write_lines("a.tsv", ["red dog\troter Hund", line])
    with pytest.raises(ValueError, match=rf"a.tsv, line 2: expected 2 columns \(source, target\).*Received: {count}$"):
        count_pairs(path)


@pytest.mark.parametrize("extra_on", ["source", "target"])
def test_misaligned_files_are_named(write_lines, extra_on):
    lines = {"source": ["a", "b"], "target": ["c", "d"]}
    lines[extra_on].append("e")
    paths = [write_lines(name, lines[name]) for name in ("source", "target")]
    ended = "target" if extra_on == "source" else "source"
    with pytest.raises(ValueError, match=rf"{ended} ends after line 2, .*{extra_on} has a line 3"):
        count_pairs(*paths)


def test_undecodable_empty_and_missing_files(write_lines, tmp_path):
    good = write_lines("good", ["a"])
    with pytest.raises(ValueError, match="bad, line 1: expected UTF-8"):
        count_pairs(good, write_lines("bad", [b"\xff"]))
    with pytest.raises(ValueError, match="Expected lines of text. Received empty files"):
        count_pairs(write_lines("e1", []), write_lines("e2", []))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        count_pairs(good, tmp_path / "nowhere")
