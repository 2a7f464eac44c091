import errno
import io

import keras
import numpy as np
import pytest

from keras_transformer.training import checkpoint
from keras_transformer.training.checkpoint import read_checkpoint, write_checkpoint

VALUES = [np.arange(6.0).reshape(2, 3), np.array(7), np.array([1.5, -0.1])]


def variables(values=VALUES, dtypes=("float32", "int32", "bfloat16")):
    return [keras.Variable(value, dtype=dtype) for value, dtype in zip(values, dtypes)]


def blank():
    return variables([np.zeros_like(value) for value in VALUES])


def test_comes_back(tmp_path):
    path = tmp_path / "state"
    written, read = variables(), blank()
    write_checkpoint(path, written, {"step": 3})
    assert read_checkpoint(path, read) == {"step": 3}
    for a, b in zip(written, read):
        np.testing.assert_array_equal(np.asarray(a.numpy(), "float32"), np.asarray(b.numpy(), "float32"))
    assert [p.name for p in tmp_path.iterdir()] == ["state"]


def test_a_truncated_file_is_refused_by_name(tmp_path):
    path = tmp_path / "state"
    write_checkpoint(path, variables(), {"step": 3})
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        read = blank()
        with pytest.raises(ValueError, match=r"Expected a whole checkpoint. Received .*/state: "):
            read_checkpoint(path, read)
        assert not np.any([np.any(variable.numpy()) for variable in read])


def test_a_changed_byte_is_refused(tmp_path):
    path = tmp_path / "state"
    write_checkpoint(path, variables(), {})
    data = bytearray(path.read_bytes())
    place = data.find(VALUES[0].astype("float32").tobytes())
    data[place + 5] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="Bad CRC-32"):
        read_checkpoint(path, blank())


def test_other_variables_are_refused(tmp_path):
    path = tmp_path / "state"
    write_checkpoint(path, variables(), {})
    with pytest.raises(ValueError, match="2 variables, written by this version. Received .*3 variables"):
        read_checkpoint(path, blank()[:2])
    with pytest.raises(FileNotFoundError):
        read_checkpoint(tmp_path / "none", blank())


def test_a_full_disk_leaves_the_earlier_state(tmp_path, monkeypatch):
    path = tmp_path / "state"
    write_checkpoint(path, variables(), {"step": 1})

    class Full(io.FileIO):
        room = 600

        def write(self, data):
            if self.tell() + len(data) > self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    monkeypatch.setattr(checkpoint, "open", lambda path, mode: Full(path, mode), raising=False)
    with pytest.raises(OSError, match="No space left"):
        write_checkpoint(path, variables(), {"step": 2})
    assert [p.name for p in tmp_path.iterdir()] == ["state"]
    assert read_checkpoint(path, blank()) == {"step": 1}
