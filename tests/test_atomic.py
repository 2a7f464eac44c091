import os
import threading

import pytest

from keras_transformer.atomic import replacing
from tests.disk import small_files


def write(path, text):
    with replacing(path) as unfinished, open(unfinished, "w") as file:
        file.write(text)


def test_replaces_and_makes_folders(tmp_path):
    for text in ("one", "two"):
        write(tmp_path / "new" / "file.txt", text)
        assert (tmp_path / "new" / "file.txt").read_text() == text
    assert os.listdir(tmp_path / "new") == ["file.txt"]


def test_a_failure_leaves_the_earlier_file_alone(tmp_path):
    write(tmp_path / "file", "one")
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "file") as unfinished:
        open(unfinished, "w").close()
        1 / 0  # noqa: B018
    assert (tmp_path / "file").read_text() == "one" and os.listdir(tmp_path) == ["file"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_text() == "text"


def test_a_pipe_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    write(tmp_path / "pipe", "text")
    reader.join(10)
    assert read == ["text"] and (tmp_path / "pipe").is_fifo()


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="Expected a file. Received a folder"):
        write(tmp_path, "text")
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_said_with_the_path(tmp_path):
    write(tmp_path / "file", "one")
    with small_files(100), pytest.raises(OSError, match=r"\[Errno 27\] File too large: '.*/file'"):
        write(tmp_path / "file", "x" * 200)
    assert (tmp_path / "file").read_text() == "one" and os.listdir(tmp_path) == ["file"]
    if os.path.exists("/dev/full"):
        with pytest.raises(OSError, match=r"\[Errno 28\] No space left on device: '/dev/full'"):
            write("/dev/full", "x")
