"""`load` opens every pipeline and every export, and says what is wrong with anything else."""

import json
import os
import random
import shutil
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_transformer
from keras_transformer import QuestionAnswerEmbedder, TextEmbedder, Translator
from keras_transformer.pipelines import (
    ExportedEmbedder,
    ExportedQuestionAnswerEmbedder,
    ExportedTranslator,
    load,
    load_embedder,
    load_question_answerer,
)
from keras_transformer.pipelines.loading import load_pipeline
from keras_transformer.pipelines.model_paths import EMBEDDER

TEXTS = ["red dog", "", "a blue house runs", "개"]
NUM_FLIPS = 24


def test_translators(model_dir, exported, translator):
    for path in (model_dir, model_dir / "translator.keras", str(exported)):
        opened = load(path)
        assert type(opened) is (ExportedTranslator if path == str(exported) else Translator)
        assert list(opened.translate(TEXTS)) == list(translator.translate(TEXTS))


@pytest.mark.parametrize("open_", [load, load_embedder])
def test_embedders(open_, embedder_dir, exported_embedder, embedder):
    wanted = embedder(TEXTS)
    for path in (embedder_dir, embedder_dir / "embedder.keras", exported_embedder):
        opened = open_(path)
        assert type(opened) is (ExportedEmbedder if path == exported_embedder else TextEmbedder)
        np.testing.assert_allclose(opened.embed(TEXTS), wanted, atol=1e-5)
        assert opened.embed([]).shape == (0, 6)


@pytest.mark.parametrize("open_", [load, load_question_answerer])
def test_question_answer_embedders(open_, question_answer_embedder, exported_question_answer_embedder, tmp_path):
    path = tmp_path / "question_answerer.keras"
    question_answer_embedder.save(path)
    classes = {path: QuestionAnswerEmbedder, tmp_path: QuestionAnswerEmbedder}
    classes[exported_question_answer_embedder] = ExportedQuestionAnswerEmbedder
    for path, wanted in classes.items():
        opened = open_(path)
        assert type(opened) is wanted
        vectors = opened.embed_questions(TEXTS)
        np.testing.assert_allclose(vectors, question_answer_embedder.embed_questions(TEXTS), atol=1e-5)


def test_the_newest_version_is_told(exported_embedder, tmp_path, recwarn):
    shutil.copytree(exported_embedder, tmp_path / "9")
    assert load(tmp_path).path == str(tmp_path / "9")
    assert not [warning for warning in recwarn if "versions" in str(warning.message)]
    shutil.copytree(exported_embedder, tmp_path / "10")
    for open_ in (load, load_embedder):
        with pytest.warns(UserWarning, match=f"{tmp_path} has 2 versions. The newest is opened: .*10$") as told:
            assert open_(tmp_path).path == str(tmp_path / "10")
        assert told[0].filename == __file__


def test_it_is_public_and_lazy():
    assert keras_transformer.load is load
    assert {"load", "ExportedTranslator", "ExportedEmbedder"} <= set(keras_transformer.__all__)


def save(function, path, *, signature):
    root = tf.Module()
    root.__call__ = tf.function(function, input_signature=[tf.TensorSpec([None], tf.string)])
    signatures = root.__call__.get_concrete_function() if signature else {}
    tf.saved_model.save(root, str(path), signatures=signatures)
    return path


@pytest.mark.parametrize("signature", [True, False])
def test_other_projects_models(signature, tmp_path):
    path = save(tf.strings.upper, tmp_path / "strings", signature=signature)
    assert list(load(path).translate(["a", "b"])) == ["A", "B"]
    vectors_of = lambda texts: tf.cast(tf.strings.length(texts), tf.float32)[:, None]  # noqa: E731
    path = save(vectors_of, tmp_path / "vectors", signature=signature)
    np.testing.assert_array_equal(load(path).embed(["a", "long"]), [[1], [4]])
    path = save(tf.strings.length, tmp_path / "lengths", signature=signature)
    with pytest.raises(ValueError, match="from strings to strings or vectors in .*lengths. Received: .* to .*int32"):
        load(path)


def test_a_saved_model_that_takes_no_strings(tmp_path):
    keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]).export(tmp_path / "1", verbose=False)
    with pytest.raises(ValueError, match=r"from strings to strings or vectors in .*1. Received: from .*float32 \(None"):
        load(tmp_path / "1")
    tf.saved_model.save(tf.Module(), str(tmp_path / "nothing"))
    with pytest.raises(ValueError, match="Expected a SavedModel with functions. Received: .*nothing"):
        load(tmp_path / "nothing")


def test_bad_paths(model_dir, exported, tmp_path):
    with pytest.raises(FileNotFoundError, match="Expected a translator, an embedder, .* Received: nowhere, which"):
        load("nowhere")
    with pytest.raises(FileNotFoundError, match="Expected an embedder: .*a folder without embedder.keras"):
        load_embedder(model_dir)
    with pytest.raises(ValueError, match="Expected a TextEmbedder in .* Received: Translator"):
        load_embedder(model_dir / "translator.keras")
    with pytest.raises(ValueError, match=r"from strings to vectors in .*Received: from .* to \{'outputs': string"):
        load_embedder(exported)
    with pytest.raises(ValueError, match="Expected a QuestionAnswerEmbedder in .* Received: Translator"):
        load_question_answerer(model_dir / "translator.keras")
    with pytest.raises(ValueError, match="question_encoder"):
        load_question_answerer(exported)
    keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="Expected a Pipeline in .*other.keras. Received: Sequential"):
        load(tmp_path / "other.keras")


@pytest.fixture(scope="module")
def whole(embedder_dir):
    """The bytes of a good file."""
    return (embedder_dir / "embedder.keras").read_bytes()


@pytest.fixture
def load_bytes(tmp_path):
    """A function that loads bytes as an embedder."""

    def load(data):
        (tmp_path / "e.keras").write_bytes(data)
        return load_pipeline(tmp_path / "e.keras", TextEmbedder, EMBEDDER)

    return load


def rewritten(embedder_dir, path, **members):
    """The file with other members: bytes in the place of theirs, `None` for one that is left out."""
    with zipfile.ZipFile(embedder_dir / "embedder.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = members.get(name.replace(".", "_"), old.read(name))
            if data is not None:
                new.writestr(name, data)
    return path.read_bytes()


def config_with(embedder_dir, **changes):
    with zipfile.ZipFile(embedder_dir / "embedder.keras") as file:
        config = json.loads(file.read("config.json"))
    return json.dumps({**config, **changes}).encode()


def test_a_flipped_bit_is_told_or_harmless(whole, load_bytes, embedder):
    """Half of the bits are among the names and places at the end of the archive."""
    generator = random.Random(7)
    starts = [0] * (NUM_FLIPS // 2) + [len(whole) - 400] * (NUM_FLIPS // 2)
    refused = 0
    for start in starts:
        place, bit = generator.randrange(start, len(whole)), generator.randrange(8)
        damaged = bytearray(whole)
        damaged[place] ^= 1 << bit
        try:
            loaded = load_bytes(damaged)
        except (ValueError, OSError) as error:
            assert "Expected a .keras file with an embedder. Received" in str(error) and "e.keras" in str(error)
            assert "\n" not in str(error)
            refused += 1
        else:  # a date, or another field that nobody reads
            for weight, wanted in zip(loaded.weights, embedder.weights, strict=True):
                np.testing.assert_array_equal(weight.numpy(), wanted.numpy(), err_msg=f"byte {place}, bit {bit}")
    assert refused > NUM_FLIPS // 2


@pytest.mark.parametrize(
    "members, fault",
    [
        ({"config_json": None}, "KeyError: "),
        ({"config_json": b"[1]"}, ""),
        ({"config_json": b'{"module": "keras'}, "JSONDecodeError: "),
        ({"config_json": b"[" * 100_000}, "RecursionError: "),
        ({"model_weights_h5": None}, ""),
        ({"model_weights_h5": b"\x89HDF\r\n"}, ""),
    ],
)
def test_members_that_are_damaged(members, fault, embedder_dir, tmp_path, load_bytes):
    data = rewritten(embedder_dir, tmp_path / "damaged.keras", **members)
    message = rf"with an embedder. Received .*e.keras: it is damaged, or of another version \({fault}"
    with pytest.raises(ValueError, match=message) as caught:
        load_bytes(data)
    assert "\n" not in str(caught.value)


def test_a_class_that_this_version_lacks_is_named(embedder_dir, tmp_path, load_bytes):
    config = config_with(embedder_dir, class_name="EmbedderOfTomorrow", registered_name="keras_transformer>Tomorrow")
    with pytest.raises(ValueError, match="it is damaged, or of another version .TypeError: .*EmbedderOfTomorrow"):
        load_bytes(rewritten(embedder_dir, tmp_path / "new.keras", config_json=config))


def test_a_truncated_file(whole, load_bytes):
    for length in (100, len(whole) // 2, len(whole) - 1):
        with pytest.raises(ValueError, match="e.keras: it is truncated, or something else"):
            load_bytes(whole[:length])


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(whole, load_bytes, tmp_path):
    load_bytes(whole)
    (tmp_path / "e.keras").chmod(0)
    with pytest.raises(PermissionError, match="Permission denied: '.*e.keras'"):
        load(tmp_path / "e.keras")
