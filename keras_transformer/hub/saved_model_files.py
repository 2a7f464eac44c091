"""The files of a SavedModel: found, unpacked, and packed into a Keras config."""

import base64
import errno
import hashlib
import io
import lzma
import os
import shutil
import tarfile
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_transformer import arguments, disk, lfs
from keras_transformer.hub.archives import untar, unzip
from keras_transformer.hub.loading import (
    FILES,
    FOLDERS,
    GRAPHS,
    TF1_HUB_MARK,
    is_lfs_pointer,
    load_saved_model,
    saved_model_paths,
)
from keras_transformer.types import PathLike

MOST_BYTES = 8 * 2**30  # of an archive's files

# What unpacking damaged archives raises.
_DAMAGED = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError,
)  # fmt: skip

# Digests of the texts that `as_text` returned in this process.
_texts_of_this_process = set()


class SavedModelFiles:
    """The files of one SavedModel.

    Attributes:
        handle: as the argument.
        folder: where the files are, as long as this object lives.

    Args:
        handle: a folder, a tar archive (compressed or not) of one, or what `tensorflow_hub.resolve` takes.
        text: the files as `as_text` packed them; then nothing is read at `handle`.
        max_unpacked_size: the bytes that an archive or a text may unpack to. It does not limit what `tensorflow_hub`
            downloads and unpacks.

    Raises:
        FileNotFoundError: if there is nothing at `handle`.
        OSError: if `tensorflow_hub` cannot fetch it, and for a full disk.
        ValueError: for a folder without a SavedModel; for an archive that is damaged, is too large, or holds links,
            special files or paths outside of its folder.
    """

    def __init__(self, handle: PathLike, text: str | None = None, max_unpacked_size: int = MOST_BYTES):
        self.handle = os.fspath(handle)
        self.max_unpacked_size = arguments.positive_integer("max_unpacked_size", max_unpacked_size)
        if text is not None:
            self.folder = self._unpacked(_unzip_text, text)
        elif os.path.isdir(self.handle):
            self.folder = os.path.abspath(self.handle)
        elif os.path.isfile(self.handle):
            if is_lfs_pointer(self.handle):
                raise ValueError(f"Expected an archive of a SavedModel. Received: {self.handle}, {lfs.POINTER}")
            self.folder = self._unpacked(untar, self.handle)
        else:
            self.folder = _resolved(self.handle)
        if not any(tf.io.gfile.exists(os.path.join(self.folder, name)) for name in GRAPHS):
            found = sorted(tf.io.gfile.listdir(self.folder)) if tf.io.gfile.isdir(self.folder) else []
            raise ValueError(
                f"Expected the folder of a SavedModel, with the file saved_model.pb. Received: {self.handle}, with "
                f"{found[:20]}"
            )
        self._state_at_first = self._state()

    @property
    def is_tf1_hub_format(self) -> bool:
        """Whether they are in the TF1 hub format, which `hub.Module` wrote."""
        return tf.io.gfile.exists(os.path.join(self.folder, TF1_HUB_MARK))

    def load(self, tags: Sequence[str] | None = None) -> Any:
        """Loads them by `load_saved_model`.

        Raises:
            OSError: for a file that may not be read.
            ValueError: if TensorFlow cannot load them.
        """
        if tags is None and self.is_tf1_hub_format:
            tags = []  # of its graphs the one for inference
        return load_saved_model(self.folder, tags, self.handle)

    def as_text(self) -> str:
        """Packs the files into a zip archive in base64: the same text for the same files.

        Raises:
            ValueError: if the files have changed since this object was made; if they are larger than
                `max_unpacked_size`, so that the text could not be unpacked.
        """
        if self._state() != self._state_at_first:
            raise ValueError(
                f"Expected the files of the SavedModel still in {self.folder} as they were when it was loaded, since a "
                "copy of them is saved. Received: others or none. (`save_weights` does without them.)"
            )
        size = sum(length for length, _ in self._state_at_first.values())
        if size > self.max_unpacked_size:
            raise ValueError(
                f"Expected a SavedModel of at most max_unpacked_size={self.max_unpacked_size} bytes to save a copy of. "
                f"Received: {self.handle}, of {size} bytes"
            )
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name in sorted(self._state_at_first):
                entry = zipfile.ZipInfo(name)  # without a date
                # Weights hardly shrink.
                stored = name.startswith("variables/")
                entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
                with tf.io.gfile.GFile(os.path.join(self.folder, name), "rb") as file:
                    archive.writestr(entry, file.read())
        text = base64.b64encode(packed.getbuffer()).decode("ascii")
        _texts_of_this_process.add(_digest(text))
        return text

    def _unpacked(self, unpack, source):
        """A folder of this object's own, with what `unpack` finds in `source`."""
        folder = tempfile.mkdtemp(prefix="keras-transformer-hub-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        try:
            with disk.naming(folder):
                unpack(source, folder, self.max_unpacked_size)
        except _DAMAGED as error:
            if getattr(error, "errno", None) in (*disk.WHILE_WRITING, errno.EACCES):
                raise  # It is not the archive's fault.
            raise ValueError(
                f"Expected a whole archive of a SavedModel. Received: {self.handle}, which cannot be unpacked "
                f"({_first_line(error)})"
            ) from error
        # Of an archive made from outside the folder all is in one folder.
        inside = os.listdir(folder)
        if len(inside) == 1 and inside[0] not in FILES + FOLDERS:
            folder = os.path.join(folder, inside[0])
        return folder

    def _state(self):
        """{name: (length, time of the last change)} of each file."""
        state = {}
        for path in saved_model_paths(self.folder):
            stat = tf.io.gfile.stat(path)
            state[os.path.relpath(path, self.folder).replace(os.sep, "/")] = (stat.length, stat.mtime_nsec)
        return state


def made_in_this_process(text: str) -> bool:
    """Whether `text` is what `as_text` returned in this process."""
    return _digest(text) in _texts_of_this_process


def _digest(text):
    return hashlib.sha256(text.encode("ascii")).digest()


def _resolved(handle):
    """The folder of a handle that is no local path."""
    import tensorflow_hub

    try:
        return tensorflow_hub.resolve(handle)
    except _DAMAGED as error:
        kind = OSError if "://" in handle else FileNotFoundError
        raise kind(
            f"Expected a folder, a tar archive or a handle that tensorflow_hub can fetch. Received: {handle} ({error})"
        ) from error


def _unzip_text(text, folder, most_bytes):
    unzip(io.BytesIO(base64.b64decode(text, validate=True)), folder, most_bytes)


def _first_line(error):
    return (str(error) or type(error).__name__).splitlines()[0]
