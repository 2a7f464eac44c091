"""Unpacks untrusted archives into a folder and nowhere else."""

import os
import pathlib
import shutil
import stat
import tarfile
import zipfile
from typing import BinaryIO

from keras_transformer.types import PathLike

_MOST_ENTRIES = 10_000
_LONGEST_HEADER = 2**20  # bytes of a long name or of other attributes, which Python reads into memory
_HEADERS = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip


def untar(path: PathLike, folder: PathLike, most_bytes: int) -> None:
    """Unpacks a tar archive, compressed or not.

    Nothing is written before all entries are known to be plain files and folders with paths inside `folder`:
    Python's own filter lets links through, and some of its versions can be led outside by chains of them.

    Args:
        path: of the archive.
        folder: an empty folder.
        most_bytes: limit of what is unpacked.

    Raises:
        ValueError: for links, devices and pipes; for paths that are absolute or lead outside; for more than
            `most_bytes` bytes or 10,000 entries.
    """
    with tarfile.open(path, tarinfo=_TarEntry) as archive:
        entries = ((entry.name, entry.size, _kind_in_tar(entry), entry) for entry in archive)
        for target, entry in _checked(entries, folder, most_bytes):
            _write(target, None if entry.isdir() else archive.extractfile(entry))


def unzip(file: BinaryIO, folder: PathLike, most_bytes: int) -> None:
    """As `untar`, for a zip archive in an open file."""
    with zipfile.ZipFile(file) as archive:
        entries = ((entry.filename, entry.file_size, _kind_in_zip(entry), entry) for entry in archive.infolist())
        for target, entry in _checked(entries, folder, most_bytes):
            _write(target, None if entry.is_dir() else archive.open(entry))


class _TarEntry(tarfile.TarInfo):
    """A header, whose sizes are checked before `tarfile` reads as many bytes."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        entry = super().frombuf(buf, encoding, errors)
        if entry.size < 0 or (entry.type in _HEADERS and entry.size > _LONGEST_HEADER):
            raise ValueError(f"a header says that {entry.size} bytes follow")
        return entry


def _kind_in_tar(entry):
    if entry.issym() or entry.islnk():
        return "a link"
    return "plain" if entry.isreg() or entry.isdir() else "a special file"


def _kind_in_zip(entry):
    """Of a zip made on Unix; on other systems there are no such modes."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a link"
    return "plain" if kind in (0, stat.S_IFREG, stat.S_IFDIR) else "a special file"


def _checked(entries, folder, most_bytes):
    """The list of (path to write to, entry), once all of (name, size, kind, entry) are right."""
    found, size = [], 0
    for name, entry_size, kind, entry in entries:
        if kind != "plain":
            raise ValueError(f"{name!r} in it is {kind}")
        if entry_size < 0:
            raise ValueError(f"{name!r} in it has {entry_size} bytes")
        found.append((os.path.join(folder, *_parts(name)), entry))
        size += entry_size
        if size > most_bytes:
            raise ValueError(f"it unpacks to more than max_unpacked_size={most_bytes} bytes")
        if len(found) > _MOST_ENTRIES:
            raise ValueError(f"it has more than {_MOST_ENTRIES:,} entries")
    return found


def _parts(name):
    """The parts of a relative path that leads nowhere else on any system."""
    path = pathlib.PureWindowsPath(name)  # knows "/", "\\" and drives
    if path.anchor or ".." in path.parts or "\0" in name:
        raise ValueError(f"{name!r} in it is a path outside of its folder")
    return path.parts


def _write(target, source):
    """Writes the open file `source`; a folder for `None`."""
    if source is None:
        os.makedirs(target, exist_ok=True)
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with source, open(target, "wb") as file:
        shutil.copyfileobj(source, file)
