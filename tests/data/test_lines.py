import gzip
import pathlib

import pytest

from keras_transformer.data import read_lines


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_reads_lines(write_lines, name):
    lines = ["one", "", "zwei\u2028drei", "네\r"]  # other separators of Unicode stay; a carriage return goes
    assert list(read_lines(write_lines(name, lines))) == ["one", "", "zwei\u2028drei", "네"]


def test_several_files_and_no_last_line_end(write_lines, tmp_path):
    (tmp_path / "b.txt").write_text("last", encoding="utf-8")
    assert list(read_lines([write_lines("a.txt", ["x"]), tmp_path / "b.txt"])) == ["x", "last"]


@pytest.mark.parametrize("name", ["bad.txt", "bad.txt.gz"])
def test_undecodable_line_is_named(write_lines, name):
    path = write_lines(name, ["fine", b"caf\xe9 noir"])
    with pytest.raises(ValueError, match=rf"{name}, line 2: expected UTF-8. Received: byte 0xe9 at column 4"):
        list(read_lines(path))


def test_damaged_gzip_is_named(write_lines, tmp_path):
    whole = pathlib.Path(write_lines("a.gz", [str(i) for i in range(5000)])).read_bytes()
    (tmp_path / "cut.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cut.gz, after line \d+: damaged gzip file"):
        list(read_lines(tmp_path / "cut.gz"))
    (tmp_path / "no.gz").write_bytes(b"plain text")
    with pytest.raises(ValueError, match="no.gz, after line 0: damaged gzip file"):
        list(read_lines(tmp_path / "no.gz"))


def test_missing_file_and_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="Expected a text file. Received: .*nowhere.txt"):
        list(read_lines(tmp_path / "nowhere.txt"))
    with pytest.raises(ValueError, match="at least one file"):
        list(read_lines([]))


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_a_byte_order_mark_is_no_text(write_lines, name):
    marked = write_lines(name, ["\ufeffone", "\ufefftwo"])
    assert list(read_lines([marked, marked])) == ["one", "\ufefftwo"] * 2  # elsewhere it is a character
    assert list(read_lines(write_lines(name, [b"\xef\xbb\xbf"]))) == [""]


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
@pytest.mark.parametrize(
    "data, lines",
    [
        (b"one\r\rtwo\r", ["one", "", "two"]),
        (b"\xef\xbb\xbfone\rtwo", ["one", "two"]),
        (b"one\rtwo\nthree", ["one\rtwo", "three"]),  # a carriage return inside a line is a character
        (b"\r", [""]),
        (b"\xef\xbb\xbf", []),
        (b"", []),
    ],
)
def test_carriage_returns_alone_end_lines(tmp_path, name, data, lines):
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert list(read_lines(tmp_path / name)) == lines


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_a_file_that_git_lfs_has_not_fetched_is_refused(tmp_path, name):
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(ValueError, match=rf"Expected a text file. Received: .*{name}, a Git LFS pointer"):
        list(read_lines(tmp_path / name))
