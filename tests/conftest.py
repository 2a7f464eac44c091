import ctypes
import gc
import gzip
import os
import platform

# Before TensorFlow is imported: of several test processes each has one thread, where more would wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")

import keras
import pytest


@pytest.fixture(autouse=True)
def seeded():
    """The same random weights in each run, and no policy left over from another test."""
    keras.utils.set_random_seed(11)
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(autouse=True, scope="module")
def small_collections():
    """Frees what earlier modules left; later garbage collections, of which Keras starts many, skip the rest."""
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)  # returns freed memory to the system, 250 MB after the README's snippets
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def write_lines(tmp_path):
    """A function (name, lines) -> path. A name that ends in .gz is gzipped; `bytes` are written as they are."""

    def write(name, lines):
        path = tmp_path / name
        data = b"".join((line if isinstance(line, bytes) else line.encode("utf-8")) + b"\n" for line in lines)
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(path)

    return write
