import functools
import http.server
import io
import os
import shutil
import tarfile
import threading

import numpy as np
import pytest

from keras_transformer.hub import HubLayer
from keras_transformer.hub.saved_model_files import SavedModelFiles, made_in_this_process
from tests.disk import small_files
from tests.hub.foreign import LFS_POINTER, X

EXPECTED = X * [1, 2]


def packed(folder, path, inside=".", mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        archive.add(folder, inside)
    return path


@pytest.fixture
def own(scaler, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(scaler, tmp_path / "own")


@pytest.mark.parametrize("name, inside, mode", [("a.tar.gz", ".", "w:gz"), ("a.tar", "scaler", "w")])
def test_archives(scaler, tmp_path, name, inside, mode):
    layer = HubLayer(packed(scaler, tmp_path / name, inside, mode))
    (tmp_path / name).unlink()
    np.testing.assert_array_equal(layer(X), EXPECTED)
    np.testing.assert_array_equal(HubLayer.from_config(layer.get_config())(X), EXPECTED)


def test_an_archive_of_something_else(scaler, tmp_path):
    path = packed(scaler, tmp_path / "a.tar.gz", "scaler/1")
    with pytest.raises(ValueError, match=r"Expected the folder of a SavedModel.*a.tar.gz, with \['1'\]"):
        HubLayer(path)


def test_what_is_unpacked_goes_with_the_layer(scaler, tmp_path):
    files = SavedModelFiles(packed(scaler, tmp_path / "a.tar.gz"))
    folder = files.folder
    assert os.path.exists(folder)
    del files
    assert not os.path.exists(folder)


def test_a_text_holds_the_files(own, tmp_path):
    (own / "notes.txt").write_text("not the SavedModel's")
    text = SavedModelFiles(own).as_text()
    files = SavedModelFiles("nowhere", text)
    assert files.handle == "nowhere" and files.as_text() == text
    found = sorted(
        os.path.relpath(os.path.join(at, name), files.folder)
        for at, _, names in os.walk(files.folder)
        for name in names
    )
    assert found == [
        "fingerprint.pb", "saved_model.pb", "variables/variables.data-00000-of-00001", "variables/variables.index",
    ]  # fmt: skip
    for name in found:
        with open(os.path.join(files.folder, name), "rb") as file:
            assert file.read() == (own / name).read_bytes()
    assert made_in_this_process(text) and not made_in_this_process(text[4:])


@pytest.mark.parametrize("spoil", [shutil.rmtree, lambda folder: (folder / "saved_model.pb").write_bytes(b"")])
def test_files_that_have_changed_are_not_saved(own, spoil):
    layer = HubLayer(own)
    spoil(own)
    with pytest.raises(ValueError, match="Expected the files of the SavedModel still in .*own as they were"):
        layer.get_config()
    np.testing.assert_array_equal(layer(X), EXPECTED)


def test_no_saved_model(tmp_path):
    (tmp_path / "1").mkdir()
    with pytest.raises(ValueError, match=r"Expected the folder of a SavedModel, with the file saved_model.pb.*\['1'\]"):
        HubLayer(tmp_path)
    with pytest.raises(FileNotFoundError, match="Expected a folder, a tar archive or a handle .*Received: .*nowhere"):
        HubLayer(tmp_path / "nowhere")


def outside(path):
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("../outside")
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"x"))


def cut(path, scaler):
    packed(scaler, path)
    path.write_bytes(path.read_bytes()[:-200])


def test_an_archive_that_git_lfs_has_not_fetched(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(LFS_POINTER)
    with pytest.raises(ValueError, match="Expected an archive of a SavedModel.*a.tar.gz, a Git LFS pointer: `git lfs"):
        HubLayer(tmp_path / "a.tar.gz")


def test_a_full_disk_is_not_the_archives_fault(scaler, tmp_path):
    path = packed(scaler, tmp_path / "a.tar.gz")
    with small_files(100), pytest.raises(OSError, match=r"\[Errno 27\] File too large: '.*keras-transformer-hub-"):
        HubLayer(path)


def test_a_limit_of_the_unpacked_size(scaler, tmp_path):
    path = packed(scaler, tmp_path / "a.tar.gz")
    with pytest.raises(ValueError, match="Received: .*a.tar.gz, .*it unpacks to more than max_unpacked_size=100 bytes"):
        HubLayer(path, max_unpacked_size=100)
    with pytest.raises(ValueError, match="Expected a positive integer. Received: max_unpacked_size=0"):
        HubLayer(path, max_unpacked_size=0)
    assert HubLayer(path).get_config()["max_unpacked_size"] == 8 * 2**30
    config = HubLayer(path, max_unpacked_size=10**6).get_config()
    assert config["max_unpacked_size"] == 10**6
    with pytest.raises(ValueError, match="it unpacks to more than max_unpacked_size=100 bytes"):
        HubLayer.from_config({**config, "max_unpacked_size": 100})
    # Nor is saved what could not be loaded.
    with pytest.raises(ValueError, match="at most max_unpacked_size=100 bytes to save a copy .*Received: .*saved, of"):
        HubLayer(scaler, max_unpacked_size=100).get_config()


def test_damaged_archives(scaler, tmp_path):
    path = tmp_path / "a.tar.gz"
    for spoil in (
        lambda: cut(path, scaler),
        lambda: path.write_bytes(b"no archive"),
        lambda: path.write_bytes(b""),
        lambda: outside(path),
    ):
        spoil()
        with pytest.raises(ValueError, match="Expected a whole archive of a SavedModel. Received: .*a.tar.gz, which"):
            HubLayer(path)
    assert sorted(os.listdir(tmp_path)) == ["a.tar.gz"]
    with pytest.raises(ValueError, match="Expected a whole archive of a SavedModel. Received: somewhere, which"):
        SavedModelFiles("somewhere", text="UEsDBA==")


def test_downloads_are_cached(scaler, tmp_path, monkeypatch):
    """As tfhub.dev answers: an archive at the handle's own address."""
    (tmp_path / "served").mkdir()
    packed(scaler, tmp_path / "served" / "scaler")
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(tmp_path / "served"))
    )
    threading.Thread(target=server.serve_forever).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        np.testing.assert_array_equal(HubLayer(f"{address}/scaler")(X), EXPECTED)
        with pytest.raises(OSError, match=f"Expected a folder, .*Received: {address}/other .*404"):
            HubLayer(f"{address}/other")
        (tmp_path / "served" / "cut").write_bytes((tmp_path / "served" / "scaler").read_bytes()[:200])
        with pytest.raises(OSError, match=f"Expected a folder, .*Received: {address}/cut"):
            HubLayer(f"{address}/cut")
    finally:
        server.shutdown()
        server.server_close()
    np.testing.assert_array_equal(HubLayer(f"{address}/scaler")(X), EXPECTED)  # from the cache
    assert any((folder / "saved_model.pb").exists() for folder in (tmp_path / "cache").iterdir())
