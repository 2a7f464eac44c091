import numpy as np

from keras_transformer.training.task_files import read_all_rows, read_neighbours, read_vectors


def test_rows_of_several_files(write_lines):
    paths = [write_lines("a.tsv", ["1\tx", "2\ty\tz"]), write_lines("b.tsv", ["3\tx"])]
    found = read_all_rows(paths, ("score", "text"), numbers={"score": (0, 5)}, extra_columns=True)
    assert found == [(1.0, "x"), (2.0, "y", "z"), (3.0, "x")]


def test_files_end_documents(write_lines):
    paths = [write_lines("a.txt", ["one", " two ", "", "three"]), write_lines("b.txt", ["four", "five"])]
    assert read_neighbours(paths) == [("one", "two"), ("four", "five")]


def test_vectors_stay_on_disk(tmp_path):
    np.save(tmp_path / "v.npy", np.arange(6.0).reshape(3, 2))
    found = read_vectors(tmp_path / "v.npy")
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, np.arange(6.0).reshape(3, 2))
