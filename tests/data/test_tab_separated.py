import gzip

import pytest

from keras_transformer.data import read_rows

COLUMNS = ("score", "sentence1", "sentence2")


def rows(path):
    return list(read_rows(path, COLUMNS, {"score": (0, 5)}))


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz"])
def test_reads_rows(write_lines, name):
    lines = ['5.0\tA "dog runs.\t개', "0\t it's \t\r", "2.5e0\tx\u2028y\tz,"]
    assert rows(write_lines(name, lines)) == [(5.0, 'A "dog runs.', "개"), (0.0, " it's ", ""), (2.5, "x\u2028y", "z,")]


def test_columns_without_bounds_are_text(write_lines):
    assert list(read_rows(write_lines("a", ["1\tx", "nan\t2"]), ("label", "text"))) == [("1", "x"), ("nan", "2")]


@pytest.mark.parametrize("number", ["", "five", "nan", "inf", "-0.1", "5.01", "1,5"])
def test_a_bad_number_is_named(write_lines, number):
    path = write_lines("a.tsv", ["1\tx\ty", f"{number}\tx\ty"])
    with pytest.raises(ValueError, match=rf"a.tsv, line 2: expected a number from 0 to 5. Received: score='{number}'$"):
        rows(path)


@pytest.mark.parametrize("line, count", [("1\tx", 2), ("1\tx\ty\tz", 4), ("", 1)])
def test_another_number_of_columns_is_named(write_lines, line, count):
    message = r"a.tsv.gz, line 3: expected 3 columns \(score, sentence1, sentence2\), separated by tabs. "
    with pytest.raises(ValueError, match=rf"{message}Received: {count}$"):
        rows(write_lines("a.tsv.gz", ["1\tx\ty", "1\tx\ty", line, "1\tx\ty"]))


def test_rows_before_the_error_come_first(write_lines):
    reader = read_rows(write_lines("a.tsv", ["a\tb", "c"]), ("query", "answer"))
    assert next(reader) == ("a", "b")
    with pytest.raises(ValueError, match="line 2"):
        next(reader)


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz"])
def test_unreadable_files_are_named(write_lines, tmp_path, name):
    with pytest.raises(ValueError, match=f"{name}, line 1: expected score, sentence1, sentence2. Received: an empty"):
        rows(write_lines(name, []))
    with pytest.raises(ValueError, match=f"{name}, line 2: expected UTF-8. Received: byte 0xe9 at column 6"):
        rows(write_lines(name, ["1\tx\ty", b"1\tcaf\xe9\ty"]))
    with pytest.raises(FileNotFoundError, match="Received: .*nowhere"):
        rows(tmp_path / "nowhere")


def test_damaged_gzip_is_named(tmp_path):
    whole = gzip.compress(b"".join(b"1\t%d\ty\n" % i for i in range(5000)))
    (tmp_path / "cut.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cut.gz, after line \d+: damaged gzip file"):
        rows(tmp_path / "cut.gz")
