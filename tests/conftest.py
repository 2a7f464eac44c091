import ctypes
import gc
import gzip
import os
import pathlib
import platform

# Before TensorFlow is imported: of several test processes each has one thread, where more would wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")

import keras
import pytest

# Graphs run as they are traced, which takes a quarter of the time away: most run once. Those that fresh processes run,
# as in tests/integration, are optimized as a user's.
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})

# The files that take longest, the longest first: `make test` gives files to its processes in this order, so that they
# end together.
LONGEST = (
    "pipelines/test_translator_export.py",
    "integration/test_exports_everywhere.py",
    "integration/test_workers_journey.py",
    "training/test_fit_translator.py",
    "serving/test_clients.py",
    "layers/test_contract.py",
    "cli/test_main.py",
    "examples/test_examples.py",
    "pipelines/test_translator.py",
    "decoding/test_beam_search.py",
    "integration/test_resume_journey.py",
    "training/test_sentence_training_loop.py",
    "training/test_fit_embedder.py",
    "integration/test_translator_journey.py",
    "test_docstrings.py",
    "test_readme.py",
    "convert/test_sentence_encoder.py",
    "ops/test_blockwise_attention.py",
)


def pytest_collection_modifyitems(items):
    folder = pathlib.Path(__file__).parent
    places = {folder / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(autouse=True)
def seeded():
    """The same random weights in each run, and no policy left over from another test."""
    keras.utils.set_random_seed(11)
    yield
    keras.config.set_dtype_policy("float32")


def resident_memory():
    """Of this process, in bytes; 0 where Linux does not tell it."""
    statm = pathlib.Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0


@pytest.fixture(autouse=True, scope="module")
def small_collections():
    """Frees what earlier modules left; later garbage collections, of which Keras starts many, skip the rest."""
    keras.utils.clear_session(free_memory=False)  # and TensorFlow's kernels of operations that ran eagerly
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)  # returns freed memory to the system, 250 MB after the README's snippets
    gc.freeze()
    yield {"resident": resident_memory()}
    gc.unfreeze()
    forget_gradients()


def forget_gradients():
    """TensorFlow keeps the graph of each custom gradient for ever: Keras' in int8, and those of loaded SavedModels."""
    if keras.backend.backend() == "tensorflow":
        from tensorflow.python.framework.ops import gradient_registry

        for name in [name for name in gradient_registry.list() if name.startswith("CustomGradient-")]:
            del gradient_registry._registry[name]


@pytest.fixture(autouse=True)
def little_garbage(small_collections):
    """Graphs are few objects of much memory, and Python counts objects: after 100 MB it is told to collect them."""
    yield
    if resident_memory() > small_collections["resident"] + 1e8:
        gc.collect()
        small_collections["resident"] = resident_memory()


@pytest.fixture
def write_lines(tmp_path):
    """A function (name, lines) -> path. A name that ends in .gz is gzipped; `bytes` are written as they are."""

    def write(name, lines):
        path = tmp_path / name
        data = b"".join((line if isinstance(line, bytes) else line.encode("utf-8")) + b"\n" for line in lines)
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(path)

    return write
