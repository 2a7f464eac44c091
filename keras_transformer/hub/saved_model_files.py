"""Where the files of a SavedModel are, and how they travel inside a Keras config."""

import base64
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import weakref
import zipfile
import zlib

import tensorflow as tf

# What a loader reads; "tfhub_module.pb" marks the TF1 hub format.
_GRAPHS = ("saved_model.pb", "saved_model.pbtxt", "saved_model.cpb")
_TF1_HUB_MARK = "tfhub_module.pb"
_FILES = (*_GRAPHS, _TF1_HUB_MARK, "fingerprint.pb")
_FOLDERS = ("variables", "assets")

# What unpacking damaged archives raises.
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError)

# Digests of the texts that `as_text` returned in this process.
_texts_of_this_process = set()


class SavedModelFiles:
    """The files of one SavedModel.

    Attributes:
        handle: what they were asked for by.
        folder: where they are, as long as this object lives.

    Args:
        handle: a folder, a tar archive (compressed or not) of one, or what `tensorflow_hub.resolve` takes.
        text: the files as `as_text` packed them; then nothing is looked up at `handle`.

    Raises:
        FileNotFoundError: if there is nothing at `handle`.
        OSError: if `tensorflow_hub` cannot fetch it.
        ValueError: for a folder without a SavedModel, and for a damaged archive.
    """

    def __init__(self, handle, text=None):
        self.handle = os.fspath(handle)
        if text is not None:
            self.folder = self._unpacked(_unzip, text)
        elif os.path.isdir(self.handle):
            self.folder = os.path.abspath(self.handle)
        elif os.path.isfile(self.handle):
            self.folder = self._unpacked(_untar, self.handle)
        else:
            self.folder = _resolved(self.handle)
        if not any(tf.io.gfile.exists(os.path.join(self.folder, name)) for name in _GRAPHS):
            found = sorted(tf.io.gfile.listdir(self.folder)) if tf.io.gfile.isdir(self.folder) else []
            raise ValueError(
                f"Expected the folder of a SavedModel, with the file saved_model.pb. Received: {self.handle}, with "
                f"{found[:20]}"
            )
        self._state_at_first = self._state()

    @property
    def is_tf1_hub_format(self):
        """Whether they are in the format of `hub.Module`, before TF2."""
        return tf.io.gfile.exists(os.path.join(self.folder, _TF1_HUB_MARK))

    def load(self, tags=None):
        """What `tf.saved_model.load` makes of them; operations of tensorflow_text are registered if there are some.

        Raises:
            ValueError: if TensorFlow cannot load them.
        """
        if tags is None and self.is_tf1_hub_format:
            tags = []  # of its graphs the one for inference
        try:
            return _load(self.folder, tags)
        except (LookupError, OSError, RuntimeError, ValueError, tf.errors.OpError) as error:
            raise ValueError(
                f"Expected a SavedModel that TensorFlow can load. Received: {self.handle}, to which it says: {error}"
            ) from error

    def as_text(self):
        """A zip archive of the files in base64, the same text for the same files.

        Raises:
            ValueError: if they have changed or gone since this object was made.
        """
        if self._state() != self._state_at_first:
            raise ValueError(
                f"Expected the files of the SavedModel still in {self.folder} as they were when it was loaded, since a "
                "copy of them is saved. Received: others or none. (`save_weights` does without them.)"
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
            unpack(source, folder)
        except _DAMAGED as error:
            raise ValueError(
                f"Expected a whole archive of a SavedModel. Received: {self.handle}, which cannot be unpacked "
                f"({str(error).splitlines()[0]})"
            ) from error
        # Of an archive made from outside the folder all is in one folder.
        inside = os.listdir(folder)
        if len(inside) == 1 and inside[0] not in _FILES + _FOLDERS:
            folder = os.path.join(folder, inside[0])
        return folder

    def _state(self):
        """{name: (length, time of the last change)} of each file."""
        paths = [os.path.join(self.folder, name) for name in _FILES]
        for folder in _FOLDERS:
            for parent, _, names in tf.io.gfile.walk(os.path.join(self.folder, folder)):
                paths += [os.path.join(parent, name) for name in names]
        state = {}
        for path in paths:
            if tf.io.gfile.exists(path):
                stat = tf.io.gfile.stat(path)
                state[os.path.relpath(path, self.folder).replace(os.sep, "/")] = (stat.length, stat.mtime_nsec)
        return state


def made_in_this_process(text):
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


def _load(folder, tags):
    try:
        return tf.saved_model.load(folder, tags)
    except (RuntimeError, tf.errors.NotFoundError) as error:
        if "Op type not registered" not in str(error):
            raise
        try:
            import tensorflow_text  # noqa: F401
        except ImportError:
            raise error from None
        return tf.saved_model.load(folder, tags)


def _untar(path, folder):
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")  # nothing outside of the folder


def _unzip(text, folder):
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(text, validate=True))) as archive:
        archive.extractall(folder)
