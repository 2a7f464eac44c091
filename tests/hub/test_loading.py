"""Damaged SavedModels: one error, with the file, whatever TensorFlow raises."""

import os
import re
import shutil

import pytest

from keras_transformer.hub import HubLayer
from keras_transformer.hub.loading import load_saved_model
from keras_transformer.pipelines import ExportedEmbedder, ExportedTranslator
from tests.hub.foreign import LFS_POINTER, WORDS

GRAPH, INDEX, DATA = "saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"
ASSET = "assets/saved-words.txt"


@pytest.fixture
def own(embedding, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(embedding, tmp_path / "own")


def gone(path):
    path.unlink()


def empty(path):
    path.write_bytes(b"")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def changed(path):
    path.write_bytes(bytes(255 - byte for byte in path.read_bytes()))


def flipped(path):
    """One bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def pointer(path):
    path.write_bytes(LFS_POINTER)


@pytest.mark.parametrize("name", [GRAPH, INDEX, DATA, ASSET])
@pytest.mark.parametrize(
    "spoil, fault",
    [
        (gone, "whose {} is missing"),
        (empty, "whose {} is empty"),
        (pointer, "whose {} is a Git LFS pointer: `git lfs pull` fetches the file"),
    ],
)
def test_files_that_are_not_there(own, name, spoil, fault):
    spoil(own / name)
    message = f"Expected a SavedModel that TensorFlow can load. Received: {re.escape(str(own))}, {fault.format(name)}"
    with pytest.raises(ValueError, match=message):
        load_saved_model(own)


@pytest.mark.parametrize("name", [GRAPH, INDEX, DATA])
@pytest.mark.parametrize("spoil", [cut, changed])
def test_damaged_files(own, name, spoil):
    spoil(own / name)
    with pytest.raises(ValueError, match=rf"Received: \S*own, of whose {name} it says: \w+Error: .") as caught:
        load_saved_model(own)
    assert "\n" not in str(caught.value)


def test_one_changed_bit_of_the_weights(own):
    flipped(own / DATA)
    with pytest.raises(ValueError, match=f"of whose {DATA} it says: .*Checksum does not match"):
        load_saved_model(own)


@pytest.mark.parametrize("load", [HubLayer, ExportedEmbedder, ExportedTranslator])
@pytest.mark.parametrize("spoil", [cut, pointer])
def test_whatever_loads_it(own, load, spoil):
    spoil(own / DATA)
    with pytest.raises(ValueError, match=f"Expected a SavedModel that .*Received: .*own, .*whose {DATA} "):
        load(own)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(own):
    (own / DATA).chmod(0)
    with pytest.raises(PermissionError, match=f"Permission denied: '.*{DATA}'"):
        load_saved_model(own)


def test_a_whole_one(own):
    assert load_saved_model(own)(WORDS).numpy().tolist() == [[3, 4], [1, 2], [5, 6]]
