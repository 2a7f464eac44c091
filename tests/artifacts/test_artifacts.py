"""What earlier versions of this package wrote goes on loading, and gives what it gave."""

import json
import pathlib
import tarfile

import keras
import numpy as np
import pytest

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


def test_translators_translate_as_they_did(artifacts):
    folder, golden = artifacts
    translator = keras.models.load_model(folder / "translator" / "translator.keras")
    for found, wanted in zip(translator.translate_n_best(golden["texts"]), golden["translator"], strict=True):
        assert [text for text, _ in found] == [text for text, _ in wanted]
        np.testing.assert_allclose([score for _, score in found], [score for _, score in wanted], atol=1e-4)
    exported = ExportedTranslator(folder / "translator" / "1")
    assert list(exported.translate(golden["texts"])) == [found[0][0] for found in golden["translator"]]
    assert exported.max_source_length == translator.max_source_length


def test_embedders_embed_as_they_did(artifacts):
    folder, golden = artifacts
    for embedder in (
        keras.models.load_model(folder / "embedder" / "embedder.keras"),
        ExportedEmbedder(folder / "embedder" / "1"),
    ):
        np.testing.assert_allclose(embedder.embed(golden["texts"]), golden["embedder"], atol=1e-5)
        assert embedder.max_length == 512
