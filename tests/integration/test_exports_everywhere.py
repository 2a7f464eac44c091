"""Exports in fresh processes: written twice alike, loaded by all that loads SavedModels, without this package."""

import json
import pathlib
import re

import numpy as np
import pytest
import sentencepiece
import tensorflow as tf

from keras_transformer import QuestionAnswerEmbedder, TextEmbedder, Translator
from keras_transformer.decoding import BeamSearch, Sampling
from keras_transformer.models import DeepAveragingNetwork, QuestionAnswerEncoder, SentenceEncoder, Transformer
from keras_transformer.text import ByteTokenizer, SubwordTokenizer, WordTokenizer
from tests import made_data, operations, reference
from tests.integration.processes import run_file

TEXTS = ["red dog", "", "blue house runs", "?!", "漢", "one two three " * 9]
ROOT = pathlib.Path(__file__).parents[2]
OPERATIONS = ROOT / "examples" / "serving" / "operations.txt"
SHIPPED = ROOT / "saved_models"
GOLDEN = ROOT / "tests" / "convert" / "golden"
BERT = json.loads((GOLDEN / "bert.json").read_text())
MARIAN_TEXTS = json.loads((GOLDEN / "marian.json").read_text())["short"][:3]
FOLDER = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory):
    """{name: pipeline}, and the folder of their `.keras` files."""
    folder = tmp_path_factory.mktemp("pipelines")
    (folder / "corpus.txt").write_text("\n".join(made_data.sentences(200)))
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "corpus.txt"), model_prefix=str(folder / "subwords"), vocab_size=40, hard_vocab_limit=False,
        pad_id=0, unk_id=1, bos_id=2, eos_id=3, minloglevel=2,
    )  # fmt: skip
    subwords = SubwordTokenizer.from_model_file(folder / "subwords.model")
    words = WordTokenizer.from_texts(made_data.sentences(200), 20, num_hash_buckets=5)
    transformer = Transformer(260, 1, 12, 19, 3, norm_first=True, target_vocabulary_size=subwords.vocabulary_size)
    encoders = [SentenceEncoder(size, 1, 12, 19, 3, output_dim=7) for size in (subwords.vocabulary_size, 29)]
    dual = QuestionAnswerEncoder(encoders[1], hidden_dim=11, output_dim=5)
    for seed, model in enumerate((transformer, encoders[0], dual)):
        reference.randomize(model, seed)
    search = BeamSearch(3, num_best=2)
    made = {
        "translator": Translator(transformer, ByteTokenizer(), subwords, max_extra_length=3, search=search),
        "embedder": TextEmbedder(encoders[0], subwords),
        "question_answer": QuestionAnswerEmbedder(dual, words),
    }
    for name, pipeline in made.items():
        pipeline.save(folder / f"{name}.keras")
    return made, folder


@pytest.fixture(scope="module")
def written(pipelines, tmp_path_factory):
    """(exports, the same exports by another process, exports of converted models, translations of `MARIAN_TEXTS`).

    The first folder has frozen exports too.
    """
    once, again, converted = (tmp_path_factory.mktemp(name) for name in ("once", "again", "converted"))
    program, folder, texts = FOLDER / "write_exports.py", pipelines[1], json.dumps(TEXTS)
    translations = run_file(program, folder, once, texts, GOLDEN, converted, json.dumps(MARIAN_TEXTS))
    run_file(program, folder, again, texts)
    return once, again, converted, translations


@pytest.fixture(scope="module")
def exports(written):
    """The two folders of the same exports."""
    return written[:2]


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_equal_weights_give_equal_files(exports):
    once, again = map(files_of, exports)
    assert len(once) == 9 * 5 + 4 and len(again) == 3 * 5
    # The fingerprint has a unique id.
    assert [str(path) for path in again if once[path] != again[path] and path.name != "fingerprint.pb"] == []


def test_no_path_of_this_machine_is_inside(exports, pipelines):
    path = re.compile(rb"/(?:bin|home|mnt|opt|private|root|srv|tmp|usr|var|work|Users|Volumes)/[\w./-]*|[A-Z]:\\\\\w+")
    assert path.search(str(pipelines[1]).encode()) and path.search((pipelines[1] / "subwords.model").read_bytes())
    for name, content in files_of(exports[0]).items():
        assert not path.findall(content), name


@pytest.fixture(scope="module")
def found(written, tmp_path_factory):
    """What each way to load them gives for `TEXTS`, and what the converted models give for their own texts."""
    out = tmp_path_factory.mktemp("saved_model_cli")
    # A NUL cannot be an argument of a process.
    bert = [text.replace("\x00", "") for text in BERT["texts"]]
    texts = map(json.dumps, (bert, MARIAN_TEXTS))
    return run_file(FOLDER / "load_exports.py", written[0], json.dumps(TEXTS), out, written[2], *texts)


@pytest.mark.parametrize("way", ["hub.load", "TFSMLayer", "saved_model_cli", "signature"])
def test_every_way_gives_the_same(way, found, pipelines):
    translator, embedder, question_answer = pipelines[0].values()

    def of(name, signature="serving_default"):
        return found[name][signature]["outputs"] if way == "signature" else found[name][way]

    assert of("translator1") == list(translator.translate(TEXTS))
    vectors = embedder.embed(TEXTS)
    every = way in ("hub.load", "signature")  # the others have shown enough with one in float32 and one in int8
    for name in ("embedder1", "embedder2") if every else ("embedder1",):
        np.testing.assert_allclose(of(name), vectors, atol=1e-5)
    for name in ("embedder3", "embedder4", "embedder5") if every else ("embedder4",):
        np.testing.assert_allclose(of(name), vectors, atol=0.03)
        assert np.abs(np.array(of(name)) - vectors).max() > 1e-4  # they are bfloat16 and int8 indeed
    questions = question_answer.embed_questions(TEXTS)
    np.testing.assert_allclose(of("question_answer1", "question_encoder"), questions, atol=1e-5)
    assert not found["imported"]


def test_converted_models_give_what_the_originals_gave(found, written):
    np.testing.assert_allclose(found["bert"], BERT["vectors"], atol=1e-5)
    assert found["marian"] == written[3] and len(set(found["marian"])) == len(MARIAN_TEXTS)
    assert not found["imported"]


def test_signatures_and_no_texts(found):
    assert [found[name]["empty"] for name in ("translator1", "embedder1", "embedder3", "embedder4", "embedder5")] == [
        [0],
        *[[0, 7]] * 4,
    ]
    assert found["question_answer1"]["signatures"] == ["lengths", "question_encoder", "response_encoder"]
    assert (
        found["embedder1"]["signatures"]
        == found["embedder3"]["signatures"]
        == ["ids", "lengths", "serving_default", "tokens"]
    )


def test_the_session_runs_all_signatures(found, pipelines):
    translator, embedder, question_answer = pipelines[0].values()
    assert found["translator1"].keys() >= {"n_best", "sample", "alignment", "lengths"}
    translator.search = BeamSearch(3, 1.0, num_best=2)
    tables = list(translator.translate_n_best(TEXTS))
    translator.search = BeamSearch(3, num_best=2)
    n_best = found["translator1"]["n_best"]
    for row, table in enumerate(tables):
        assert n_best["outputs"][2 * row :][: len(table)] == [text for text, _ in table]
        np.testing.assert_allclose(n_best["scores"][row][: len(table)], [score for _, score in table], atol=1e-4)
    for name, count in (("translator1", translator.num_source_tokens), ("embedder2", embedder.num_tokens)):
        assert found[name]["lengths"] == {"outputs": count(TEXTS).numpy().tolist(), "longest": [512] * len(TEXTS)}
    responses = question_answer.embed_responses(TEXTS, TEXTS)
    np.testing.assert_allclose(found["question_answer1"]["response_encoder"]["outputs"], responses, atol=1e-5)
    tokens = [tokens for tokens, _ in embedder.embed_tokens(TEXTS)]
    assert found["embedder2"]["tokens"]["lengths"] == [len(row) for row in tokens]


def test_a_server_without_xla_runs_all_of_them(found, exports, pipelines):
    """TensorFlow Serving compiles nothing unless it is started with --xla_cpu_compilation_enabled=true."""
    assert "XLA compilation disabled" in found["XLA"]
    signatures = {"serving_default", "ids", "n_best", "sample", "alignment", "lengths"}
    for name in ("translator1", "translator2", "translator3"):
        assert found[name].keys() >= signatures
    translator = pipelines[0]["translator"]
    translator.search = Sampling(top_k=3)
    assert found["translator3"]["serving_default"]["outputs"] == list(translator.translate(TEXTS))
    translator.search = BeamSearch(3, num_best=2)
    (classes,) = found["classifier1"]["serving_default"].values()
    np.testing.assert_allclose(np.sum(classes, axis=1), np.ones(len(TEXTS)), atol=1e-5)
    for path in exports[0].glob("*/*"):
        assert operations.of_xla(operations.of_saved_model(path)) == [], path


def test_the_hub_layer_of_keras_2_trains_it(found, pipelines):
    embedder, layer = pipelines[0]["embedder"], found["KerasLayer"]
    np.testing.assert_allclose(layer["before"], embedder.embed(TEXTS), atol=1e-5)
    np.testing.assert_allclose(layer["frozen"], embedder.embed(TEXTS), atol=1e-5)
    assert layer["losses"][-1] < layer["losses"][0]
    assert np.abs(np.array(layer["trained"]) - layer["before"]).max() > 1e-3
    assert len(layer["gradients"]) == len(embedder.weights) and all(layer["gradients"])


def test_frozen_exports_have_no_variables(found, pipelines):
    weights = len(pipelines[0]["embedder"].weights)
    assert found["embedder1"]["variables"] == [weights, weights] and found["embedder1"]["variable operations"] > 0
    for name in ("embedder2", "embedder3", "embedder4", "embedder5"):
        assert found[name]["variables"] == [0, 0] and found[name]["variable operations"] == 0


def test_operations_are_those_of_the_list(exports, written, tmp_path):
    """So that anybody can compare the list with what a server has; where this fails, the list is to be brought up."""
    words = WordTokenizer.from_texts(made_data.sentences(200), 20, num_hash_buckets=5)
    averaging = DeepAveragingNetwork(words.vocabulary_size, 7, 1, 12, output_dim=7, token_weights=True)
    TextEmbedder(averaging, words).export(tmp_path / "averaging")
    paths = {
        "t": exports[0] / "translator" / "1",
        "e": exports[0] / "embedder" / "1",
        "f": exports[0] / "embedder" / "3",
        "i": exports[0] / "embedder" / "4",
        "c": exports[0] / "embedder" / "5",
        "q": exports[0] / "question_answer" / "1",
        "a": tmp_path / "averaging",
        "b": written[2] / "bert",
        "m": written[2] / "marian",
    }
    of_exports = {letter: operations.of_saved_model(path) for letter, path in paths.items()}
    found = {
        operation: "".join(letter for letter, of_export in of_exports.items() if operation in of_export)
        for operation in sorted(set.union(*of_exports.values()))
    }
    lines = [line for line in OPERATIONS.read_text().splitlines() if line and not line.startswith("#")]
    assert {line.split()[0]: line.split()[1] for line in lines} == found
    for path in SHIPPED.glob("*/*/"):
        assert set(operations.of_saved_model(path)) <= set(found)
    for operation, _, library in map(str.split, lines):
        others = "oneDNN" if operation.startswith("_") else "tensorflow_text"
        assert library == ("TensorFlow" if hasattr(tf.raw_ops, operation) else others), operation
