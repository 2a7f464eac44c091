import gzip

import pytest

from keras_transformer import lfs

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.mark.parametrize(
    "content, is_pointer", [(POINTER, True), (b"", False), (b"version 3", False), (b"\x00\x01", False)]
)
def test_what_a_pointer_is(tmp_path, content, is_pointer):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert lfs.is_pointer(path) is is_pointer


def test_a_compressed_file_is_read_as_it_is_opened(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(POINTER))
    assert lfs.is_pointer(path, gzip.open) and not lfs.is_pointer(path)
