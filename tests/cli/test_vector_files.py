import io
import json
import tracemalloc

import numpy as np
import pytest

from keras_transformer.cli import vector_files

PAIRS = [("dog", np.array([1.0, 1 / 3], "float32")), ("개\u2028", np.array([-0.0, 2e-30], "float32"))]


def test_the_format_goes_by_the_ending():
    assert vector_files.writer("a.b/v.npy") is vector_files.write_array
    assert vector_files.writer("v.jsonl") is vector_files.write_json_lines
    with pytest.raises(ValueError, match="Expected an output that ends in .npy or .jsonl. Received: v.txt"):
        vector_files.writer("v.txt")


def test_an_array():
    file = io.BytesIO()
    vector_files.write_array(PAIRS, 2, file)
    found = np.load(io.BytesIO(file.getvalue()))
    np.testing.assert_array_equal(found, [vector for _, vector in PAIRS])
    assert found.dtype == "float32"


def test_json_lines_give_each_float_back():
    file = io.BytesIO()
    vector_files.write_json_lines(PAIRS, 2, file)
    lines = [json.loads(line) for line in file.getvalue().decode().split("\n")[:-1]]
    assert [line["text"] for line in lines] == ["dog", "개\u2028"]
    np.testing.assert_array_equal(
        np.array([line["embedding"] for line in lines], "float32"), [vector for _, vector in PAIRS]
    )


def test_an_array_is_written_in_constant_memory(tmp_path):
    vector = np.arange(1000, dtype="float32")
    tracemalloc.start()
    with open(tmp_path / "out.npy", "wb") as file:
        vector_files.write_array((("", vector + i) for i in range(3000)), 1000, file)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000  # of 12 MB
    tracemalloc.stop()
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy")[[0, 2999], :2], [[0, 1], [2999, 3000]])
