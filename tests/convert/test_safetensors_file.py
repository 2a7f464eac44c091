import json
import pickle

import ml_dtypes
import numpy as np
import pytest

from keras_transformer.convert.safetensors_file import read_safetensors

DTYPES = {"F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16, "F64": np.float64, "I64": np.int64}


def write(path, tensors, metadata=None, header=None):
    """The format by hand: the header's length in 8 bytes, the header, the tensors."""
    entries, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, (dtype, array) in tensors.items():
        raw = np.asarray(array).astype(DTYPES[dtype]).tobytes()
        entries[name] = {"dtype": dtype, "shape": np.shape(array), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    header = json.dumps(entries).encode() if header is None else header
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)
    return path


TENSORS = {
    "a": ("F32", [[1.5, -2.0], [3.0, 4.0]]),
    "b": ("F16", [0.5]),
    "c": ("BF16", [[1.0, 3.0e38]]),
    "d": ("I64", 7),
}


def test_every_dtype(tmp_path):
    found = read_safetensors(write(tmp_path / "m.safetensors", TENSORS, {"format": "pt"}))
    assert list(found) == list(TENSORS)
    for name, (dtype, values) in TENSORS.items():
        assert found[name].dtype == DTYPES[dtype]
        np.testing.assert_array_equal(
            found[name].astype("float64"), np.asarray(values, DTYPES[dtype]).astype("float64")
        )
    with pytest.raises(ValueError, match="read-only"):
        found["a"][0, 0] = 1


def test_no_tensors(tmp_path):
    assert read_safetensors(write(tmp_path / "m", {})) == {}


@pytest.mark.parametrize("length", [0, 5, 8, 40, -1])
def test_truncated(tmp_path, length):
    path = write(tmp_path / "m.safetensors", TENSORS)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match="Expected a safetensors file.* Received: .*m.safetensors"):
        read_safetensors(path)


def test_bytes_behind_the_end(tmp_path):
    path = write(tmp_path / "m.safetensors", TENSORS)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ValueError, match=f"of {size} bytes. Received: .* of {size + 1}"):
        read_safetensors(path)


@pytest.mark.parametrize(
    "header, message",
    [
        (b"{oops}", "whose header is damaged"),
        (b'{"a": {"dtype": "F31", "shape": [1], "data_offsets": [0, 4]}}', "whose header is damaged .'F31'"),
        (b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}', "whose header is damaged"),
        (
            b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}',
            r"Received: a of shape \(2,\) in bytes 0 to 4",
        ),
        (b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}', r"without gaps .* bytes 4 to 8"),
        (b'{"a": 3}', "whose header is damaged"),
    ],
)
def test_damaged_headers(tmp_path, header, message):
    with pytest.raises(ValueError, match=message):
        read_safetensors(write(tmp_path / "m", {"x": ("F32", [1.0])}, header=header))


def test_a_pickle_under_another_name(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(pickle.dumps({"weight": [1.0] * 20}))
    with pytest.raises(ValueError, match="which is none"):
        read_safetensors(tmp_path / "model.safetensors")
