import base64
import io
import os
import stat
import tarfile
import zipfile

import pytest

from keras_transformer.hub.archives import untar, unzip
from keras_transformer.hub.saved_model_files import SavedModelFiles


def tar(path, *entries, mode="w"):
    """A tar archive of (name, type, what): the content of a file, or the target of a link."""
    with tarfile.open(path, mode) as archive:
        for name, kind, what in entries:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            if isinstance(what, bytes):
                entry.size = len(what)
                archive.addfile(entry, io.BytesIO(what))
            else:
                entry.linkname = what
                archive.addfile(entry)
    return path


def zipped(*entries):
    """A zip archive of (name, mode, content) in memory."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, mode, content in entries:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return file


@pytest.fixture
def folder(tmp_path):
    """An empty folder in a folder of its own, in which nothing else may appear."""
    path = tmp_path / "around" / "inside"
    path.mkdir(parents=True)
    yield path
    assert os.listdir(tmp_path / "around") == ["inside"]


def files_in(folder):
    return {
        os.path.relpath(os.path.join(at, name), folder): open(os.path.join(at, name), "rb").read()
        for at, _, names in os.walk(folder)
        for name in names
    }


REG, DIR = tarfile.REGTYPE, tarfile.DIRTYPE


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_plain_files_and_folders(tmp_path, folder, mode):
    long = "a" * 120  # has a header of its own
    files = ("./one", REG, b"1"), ("x/y/two", REG, b"22"), ("x/" + long, REG, b"")
    untar(tar(tmp_path / "a", (".", DIR, ""), *files, ("none", DIR, ""), mode=mode), folder, 3)
    assert files_in(folder) == {"one": b"1", "x/y/two": b"22", f"x/{long}": b""}
    assert (folder / "none").is_dir()


def test_plain_files_and_folders_of_a_zip(folder):
    unzip(zipped(("one", 0, b"1"), ("none/", stat.S_IFDIR, b""), ("x/two", stat.S_IFREG, b"22")), folder, 3)
    assert files_in(folder) == {"one": b"1", "x/two": b"22"} and (folder / "none").is_dir()


@pytest.mark.parametrize(
    "name, kind, target, what",
    [
        ("link", tarfile.SYMTYPE, "one", "a link"),
        ("link", tarfile.LNKTYPE, "one", "a link"),
        ("pipe", tarfile.FIFOTYPE, "", "a special file"),
        ("null", tarfile.CHRTYPE, "", "a special file"),
        ("../one", REG, b"", "a path outside of its folder"),
        ("x/../../one", REG, b"", "a path outside of its folder"),
        ("..\\one", REG, b"", "a path outside of its folder"),
        ("/one", REG, b"", "a path outside of its folder"),
        ("C:one", REG, b"", "a path outside of its folder"),
        ("../", DIR, "", "a path outside of its folder"),
    ],
)
def test_other_entries_are_refused_before_anything_is_written(tmp_path, folder, name, kind, target, what):
    path = tar(tmp_path / "a", ("one", REG, b"1"), (name, kind, target))
    with pytest.raises(ValueError, match=f"'{'.*'}' in it is {what}"):
        untar(path, folder, 100)
    assert os.listdir(folder) == []


@pytest.mark.parametrize(
    "name, mode, what",
    [
        ("link", stat.S_IFLNK, "a link"),
        ("pipe", stat.S_IFIFO, "a special file"),
        ("../one", stat.S_IFREG, "a path outside of its folder"),
        ("/one", 0, "a path outside of its folder"),
    ],
)
def test_other_entries_of_a_zip_are_refused(folder, name, mode, what):
    with pytest.raises(ValueError, match=f"'{name}' in it is {what}"):
        unzip(zipped(("one", 0, b"1"), (name, mode, b"one")), folder, 100)
    assert os.listdir(folder) == []


def test_a_chain_of_long_links_leads_nowhere(tmp_path, folder):
    """What leads `extractall(filter="data")` outside before Python 3.11.13: a path too long to be resolved."""
    entries, at, steps = [], "", "abcdefghijklmnop"
    for step in steps:
        entries += [(os.path.join(at, "d" * 247), DIR, ""), (os.path.join(at, step), tarfile.SYMTYPE, "d" * 247)]
        at = os.path.join(at, "d" * 247)
    back = os.path.join(*steps, "l" * 254)
    entries += [(back, tarfile.SYMTYPE, "../" * len(steps)), ("out", tarfile.SYMTYPE, f"{back}/..")]
    path = tar(tmp_path / "a.tar", *entries, ("out/planted", REG, b"x"))
    with pytest.raises(ValueError, match="'a' in it is a link"):
        untar(path, folder, 2**20)
    assert os.listdir(folder) == []
    with pytest.raises(ValueError, match="Expected a whole archive of a SavedModel.*a.tar, .*'a' in it is a link"):
        SavedModelFiles(path)


def test_no_more_is_unpacked_than_allowed(tmp_path, folder):
    entries = ("one", REG, bytes(600)), ("two", REG, bytes(401))
    path = tar(tmp_path / "a.tar.gz", *entries, mode="w:gz")
    for unpack, source in ((untar, path), (unzip, zipped(("one", 0, bytes(600)), ("two", 0, bytes(401))))):
        with pytest.raises(ValueError, match="it unpacks to more than max_unpacked_size=1000 bytes"):
            unpack(source, folder, 1000)
        assert os.listdir(folder) == []
    untar(path, folder, 1001)
    assert os.stat(folder / "two").st_size == 401


def test_a_small_archive_of_a_large_file(tmp_path, folder):
    """Its size is known from the header, before any of it is read."""
    entry = tarfile.TarInfo("zeros")
    entry.size = 2**40
    (tmp_path / "a").write_bytes(entry.tobuf() + bytes(1024))
    with pytest.raises(ValueError, match="it unpacks to more than max_unpacked_size=1000000000 bytes"):
        untar(tmp_path / "a", folder, 10**9)


@pytest.mark.parametrize("kind, size", [(tarfile.XHDTYPE, 2**40), (tarfile.GNUTYPE_LONGNAME, 2**40), (REG, -512)])
def test_headers_that_would_fill_memory_or_lead_backwards(tmp_path, folder, kind, size):
    entry = tarfile.TarInfo("one")
    entry.type, entry.size = kind, size
    (tmp_path / "a").write_bytes(entry.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(ValueError, match=f"a header says that {size} bytes follow"):
        untar(tmp_path / "a", folder, 2**50)


def test_entries_are_counted(tmp_path, folder):
    path = tar(tmp_path / "a", *((str(i), REG, b"") for i in range(10_001)))
    with pytest.raises(ValueError, match="it has more than 10,000 entries"):
        untar(path, folder, 1)
    assert os.listdir(folder) == []


def test_a_crafted_copy_in_a_config(tmp_path, monkeypatch):
    """The zip archive of a `.keras` file's config is unpacked as carefully."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for entries, most, what in (
        ([("link", stat.S_IFLNK, b"/")], 100, "'link' in it is a link"),
        ([("../planted", 0, b"x")], 100, "'../planted' in it is a path outside of its folder"),
        ([("zeros", 0, bytes(10**6))], 10**5, "it unpacks to more than max_unpacked_size=100000 bytes"),
    ):
        text = base64.b64encode(zipped(*entries).getbuffer()).decode("ascii")
        with pytest.raises(ValueError, match=f"Expected a whole archive .*Received: somewhere, .*{what}"):
            SavedModelFiles("somewhere", text, most)
    assert os.listdir(tmp_path) == []
