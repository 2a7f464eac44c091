"""What earlier versions of this package exported goes on loading, and gives what it gave."""

import json
import pathlib
import tarfile

import keras
import numpy as np
import pytest

import keras_transformer
from keras_transformer.pipelines import ExportedEmbedder, ExportedTranslator

VERSIONS = sorted(path.parent for path in pathlib.Path(__file__).parent.glob("*/golden.json"))


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda folder: folder.name)
def artifacts(request, tmp_path_factory):
    """(the folder of the unpacked artifacts of a version, what they gave)."""
    unpacked = tmp_path_factory.mktemp("artifacts")
    for name in ("translator", "embedder"):
        with tarfile.open(request.param / f"{name}.tar.xz") as archive:
            archive.extractall(unpacked / name, filter="data")
    return unpacked, json.loads((request.param / "golden.json").read_text(encoding="utf-8"))


def test_there_is_one_for_the_first_version():
    assert "0.1.0" in [folder.name for folder in VERSIONS]


def test_exported_translators_translate_as_they_did(artifacts):
    folder, golden = artifacts
    exported = ExportedTranslator(folder / "translator" / "1")
    assert list(exported.translate(golden["texts"])) == [found[0][0] for found in golden["translator"]]
    assert exported.max_source_length == 512


def test_exported_embedders_embed_as_they_did(artifacts):
    folder, golden = artifacts
    embedder = ExportedEmbedder(folder / "embedder" / "1")
    np.testing.assert_allclose(embedder.embed(golden["texts"]), golden["embedder"], atol=1e-5)
    assert embedder.max_length == 512


@pytest.mark.parametrize("name", ["translator", "embedder"])
def test_files_whose_weights_have_other_names_are_refused_by_their_format(artifacts, name):
    path = artifacts[0] / name / f"{name}.keras"
    with pytest.raises(ValueError, match="format 2. Received: format 1.*export it as a SavedModel"):
        keras.models.load_model(path)
    with pytest.raises(ValueError, match="format 2. Received: format 1"):
        keras_transformer.load(path)
