"""NearestTexts, in Python and as a SavedModel."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.pipelines import ExportedEmbedder
from keras_transformer.search import NearestTexts, SemanticIndex, nearest_vectors
from tests import made_data, operations
from tests.saved_pipelines import embedder, embedder_dir, exported_embedder  # noqa: F401

TEXTS = [*dict.fromkeys(made_data.sentences(60, seed=3)), "", "漢字", "red\ndog"]
QUERIES = ["red dog", "", "漢字", "?!"]
LISTED = pathlib.Path(__file__).parents[2] / "examples" / "serving" / "operations.txt"
# As TensorFlow Serving does by default, before anything is loaded.
LOADED = """
import ctypes, json, os, sys, tensorflow as tf
library = ctypes.CDLL(os.path.join(os.path.dirname(tf.__file__), "libtensorflow_cc.so.2"))
library._ZN10tensorflow21DisableXlaCompilationEv()
import tensorflow_text
path, queries = sys.argv[1], json.loads(sys.argv[2])
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    signature = tf.compat.v1.saved_model.load(session, ["serve"], path).signature_def["serving_default"]
    fetches = {name: tensor.name for name, tensor in signature.outputs.items()}
    found = session.run(fetches, {signature.inputs["inputs"].name: queries})
    texts = [[text.decode() for text in row] for row in found["texts"]]
    print(json.dumps([texts, found["scores"].tolist(), found["ids"].tolist()]))
    assert session.run(fetches, {signature.inputs["inputs"].name: []})["texts"].shape == (0, len(texts[0]))
"""


def check(found, embedder, texts, top_k, ids=None):  # noqa: F811
    """That what was found is right."""
    expected = nearest_vectors(embedder.embed(QUERIES), embedder.embed(texts), top_k)
    np.testing.assert_allclose(found["scores"], expected.scores, atol=1e-5)
    rows = np.searchsorted(ids, found["ids"]) if ids is not None else np.asarray(found["ids"])
    scores = embedder.embed(QUERIES) @ embedder.embed(texts).T
    np.testing.assert_allclose(np.take_along_axis(scores, rows, 1), expected.scores, atol=1e-5)
    named = [[text.decode() for text in row] for row in np.asarray(found["texts"]).tolist()]
    assert named == [[texts[row] for row in some] for some in rows]


@pytest.fixture(scope="module")
def loaded(exported_embedder):  # noqa: F811
    return ExportedEmbedder(exported_embedder)


@pytest.fixture(scope="module")
def exported(embedder, tmp_path_factory):  # noqa: F811
    path = tmp_path_factory.mktemp("nearest") / "1"
    NearestTexts(embedder, TEXTS, top_k=3).export(path)
    return path


def test_in_python(loaded, embedder, monkeypatch):  # noqa: F811
    monkeypatch.setattr("keras_transformer.search.nearest_texts._SCORES_AT_ONCE", 2 * len(TEXTS))
    nearest = NearestTexts(loaded, TEXTS, top_k=5)
    check(nearest(QUERIES), embedder, TEXTS, 5)
    assert {name: x.shape for name, x in nearest([]).items()} == dict.fromkeys(("texts", "scores", "ids"), (0, 5))


def test_from_an_index(loaded, embedder):  # noqa: F811
    index = SemanticIndex(loaded)
    index.add(TEXTS)
    index.remove([0, 5])
    nearest = NearestTexts(loaded, index, top_k=999)
    assert nearest.top_k == len(TEXTS) - 2
    check(nearest(QUERIES), embedder, list(index.texts), 999, index.ids)


def test_the_export_is_called_as_the_object(exported, embedder):  # noqa: F811
    check(tf.saved_model.load(str(exported))(QUERIES), embedder, TEXTS, 3)
    assert (exported / "assets.extra" / "tf_serving_warmup_requests").stat().st_size > 0
    with pytest.raises(FileExistsError, match="Expected a path that does not exist"):
        NearestTexts.export(None, exported)


def test_a_server_runs_it(exported, embedder):  # noqa: F811
    arguments = [sys.executable, "-c", LOADED, str(exported), json.dumps(QUERIES)]
    process = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    texts, scores, ids = json.loads(process.stdout)
    check({"texts": [[t.encode() for t in row] for row in texts], "scores": scores, "ids": ids}, embedder, TEXTS, 3)


def test_all_operations_are_those_of_other_exports(exported):
    lines = [line.split() for line in LISTED.read_text().splitlines() if not line.startswith("#")]
    assert operations.of_saved_model(exported) - {line[0] for line in lines if line} == set()


def test_frozen(embedder):  # noqa: F811
    check(NearestTexts(embedder, TEXTS, top_k=3, frozen=True)(QUERIES), embedder, TEXTS, 3)


def test_bad_input(embedder, loaded):  # noqa: F811
    for texts, options, message in [
        ([], {}, "Expected at least one text. Received none"),
        (TEXTS, {"top_k": 0}, "Received: top_k=0"),
        (TEXTS, {"dtype": "bfloat16"}, "Expected frozen=True"),
    ]:
        with pytest.raises(ValueError, match=message):
            NearestTexts(embedder, texts, **options)
    other = SemanticIndex()
    other.add(["a"], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="Expected an index of vectors of 6 numbers. Received: 2"):
        NearestTexts(loaded, other)
    with pytest.raises(ValueError, match="Expected an embedder that is no export"):
        NearestTexts(loaded, TEXTS, frozen=True)
    with pytest.raises(TypeError, match="Received: int"):
        NearestTexts(3, TEXTS)
