import errno
import os
import signal
import subprocess
import sys
import threading

import pytest

from keras_transformer import atomic
from keras_transformer.atomic import making_folder, remove_unfinished, replacing
from tests.disk import small_files

# Imports the module without Keras, which takes no time, and waits within the context.
_WRITER = """
import pathlib, sys
import keras_transformer_command
keras_transformer_command._make("keras_transformer")
from keras_transformer import atomic
with getattr(atomic, sys.argv[1])(sys.argv[2]) as unfinished:
    path = pathlib.Path(unfinished)
    if sys.argv[1] == "making_folder":
        path.mkdir()
        path = path / "part"
    path.write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def start_writer():
    """A function (name of a context manager, path) that starts a process, which writes until it is killed."""
    processes = []

    def start(function, path):
        command = [sys.executable, "-c", _WRITER, function, str(path)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout.readline() == "writing\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


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


def test_what_a_killed_process_left_goes_and_what_another_one_writes_stays(start_writer, tmp_path):
    killed, alive = (start_writer("replacing", tmp_path / "file.txt") for _ in range(2))
    start_writer("replacing", tmp_path / "other.txt")
    kill(killed)
    assert len(os.listdir(tmp_path)) == 3
    write(tmp_path / "file.txt", "mine")
    assert len(os.listdir(tmp_path)) == 3  # the file, and the two that are being written
    alive.communicate("")
    assert (tmp_path / "file.txt").read_text() == "half" and alive.returncode == 0
    assert len(os.listdir(tmp_path)) == 2


def test_folders_are_swept_too(start_writer, tmp_path):
    killed, alive = (start_writer("making_folder", tmp_path / "1") for _ in range(2))
    kill(killed)
    with making_folder(tmp_path / "1") as unfinished:
        os.mkdir(unfinished)
    assert sorted(map(len, os.listdir(tmp_path))) == [1, len(".unfinished-12345678-1")]
    assert (tmp_path / "1").stat().st_mode & 0o777 == 0o777 & ~_umask()
    assert alive.poll() is None


def _umask():
    umask = os.umask(0)
    os.umask(umask)
    return umask


def test_threads_write_the_same_file(tmp_path):
    with replacing(tmp_path / "file") as first, replacing(tmp_path / "file") as second:
        for path, text in ((first, "first"), (second, "second")):
            with open(path, "w") as file:
                file.write(text)
    assert (tmp_path / "file").read_text() == "first"  # the last one to end
    assert os.listdir(tmp_path) == ["file"]


def test_only_its_own_leftovers_go(start_writer, tmp_path):
    for name in ("state", "state-weights-3", "state.txt"):
        kill(start_writer("replacing", tmp_path / name))
    (tmp_path / ".unfinished-mine-state").mkdir()
    (tmp_path / ".unfinished-mine-state" / "notes").touch()
    (tmp_path / ".unfinished-abc-state").touch()
    remove_unfinished(tmp_path / "state", more=r"(-weights-\d+)?")
    assert sorted(name.partition("state")[2] for name in os.listdir(tmp_path)) == ["", "", ".txt"]
    remove_unfinished(tmp_path / "nowhere" / "state")


def test_a_workplace_that_was_swept_before_it_was_locked(tmp_path, monkeypatch):
    make, made = atomic.tempfile.mkdtemp, []

    def swept(**options):
        place = make(**options)
        made.append(place)
        if len(made) == 1:
            remove_unfinished(tmp_path / "file")
        return place

    monkeypatch.setattr(atomic.tempfile, "mkdtemp", swept)
    write(tmp_path / "file", "text")
    assert len(made) == 2 and os.listdir(tmp_path) == ["file"]


def test_the_longest_names(tmp_path):
    name = "é" * 125 + ".txt"  # 254 bytes
    write(tmp_path / name, "text")
    assert os.listdir(tmp_path) == [name]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk that is always full")
def test_a_full_disk_is_named(tmp_path):
    with pytest.raises(OSError, match=r"\[Errno 28\] No space left on device: '/dev/full'"):
        write("/dev/full", "text")
    for writing in (replacing, making_folder):
        path = tmp_path / writing.__name__
        told = rf"\[Errno 28\] No space left on device: '{path}'"
        with pytest.raises(OSError, match=told), writing(path), open("/dev/full", "w") as file:
            file.write("text")
        with pytest.raises(OSError, match=told), writing(path) as unfinished:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), unfinished)
        assert not path.exists()


def test_a_full_disk_is_said_with_the_path(tmp_path):
    write(tmp_path / "file", "one")
    with small_files(100), pytest.raises(OSError, match=r"\[Errno 27\] File too large: '.*/file'"):
        write(tmp_path / "file", "x" * 200)
    assert (tmp_path / "file").read_text() == "one" and os.listdir(tmp_path) == ["file"]
