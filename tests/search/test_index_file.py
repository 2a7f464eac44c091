import os

import numpy as np
import pytest

from keras_transformer.convert.safetensors_file import read_safetensors
from keras_transformer.search.index_file import read_index_file, writing_index_file
from keras_transformer.search.rows import TextBlock

COLUMNS = {"a": ("int8", (3,)), "ids": ("int64", ()), "bits": ("uint8", (8,)), "x": ("float32", (5,))}


def block(start, count):
    ids = np.arange(start, start + count)
    columns = {name: np.broadcast_to(ids.reshape(-1, *[1] * len(s)), (count, *s)) for name, (_, s) in COLUMNS.items()}
    return columns, TextBlock.of(["字" * (number % 4) for number in ids])


@pytest.mark.parametrize("sizes", [[], [1], [3, 0, 4]])
def test_round_trip(sizes, tmp_path):
    path = tmp_path / "texts.index"
    with writing_index_file(path, COLUMNS) as writer:
        for start, size in zip(np.cumsum([0, *sizes]), sizes):
            writer.append(*block(start, size))
        writer.finish({"width": 5, "model": "ü"}, b"graph")
    file, (columns, texts) = read_index_file(path), block(0, sum(sizes))
    for name, (dtype, _) in COLUMNS.items():
        assert file.columns[name].dtype == dtype
        np.testing.assert_array_equal(file.columns[name], columns[name])
        assert name in ("a", "x") or file.columns[name].ctypes.data % 8 == 0
        assert file.columns[name].flags.aligned
    assert list(file.texts) == list(texts)
    assert (file.settings, file.graph.tobytes()) == ({"width": 5, "model": "ü"}, b"graph")
    assert os.listdir(tmp_path) == ["texts.index"]


def test_an_error_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "texts.index"
    path.write_text("earlier")
    with pytest.raises(KeyError), writing_index_file(path, COLUMNS) as writer:
        writer.append(*block(0, 3))
        raise KeyError
    columns, texts = block(0, 3)
    message = r"Expected x \(3, 5\)\. Received: \(3, 4\)"
    with pytest.raises(ValueError, match=message), writing_index_file(path, COLUMNS) as writer:
        writer.append({**columns, "x": np.zeros((3, 4))}, texts)
    assert path.read_text() == "earlier" and os.listdir(tmp_path) == ["texts.index"]


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "texts.index"
    with pytest.raises(FileNotFoundError):
        read_index_file(path)
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match="Expected a safetensors file"):
        read_index_file(path)
    with writing_index_file(path, COLUMNS) as writer:
        writer.append(*block(0, 3))
        writer.finish({})
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(ValueError, match="bytes. Received: .*texts.index of"):
        read_index_file(path)
    path.write_bytes(whole.replace(b"SemanticIndex 1", b"SemanticIndex 9"))
    assert "ids" in read_safetensors(path)
    with pytest.raises(ValueError, match="Expected the file of a SemanticIndex. Received: .*texts.index"):
        read_index_file(path)
