"""Exports in fresh processes: written twice alike, loaded by all that loads SavedModels, without this package."""

import json
import pathlib
import re

import numpy as np
import pytest
import sentencepiece
import tensorflow as tf

from keras_transformer import QuestionAnswerEmbedder, TextEmbedder, Translator
from keras_transformer.convert import convert
from keras_transformer.decoding import BeamSearch, Sampling
from keras_transformer.models import QuestionAnswerEncoder, SentenceEncoder, Transformer
from keras_transformer.text import ByteTokenizer, SubwordTokenizer, WordTokenizer
from tests import made_data, operations, reference
from tests.integration.processes import run_python

TEXTS = ["red dog", "", "blue house runs", "?!", "漢", "one two three " * 9]
ROOT = pathlib.Path(__file__).parents[2]
OPERATIONS = ROOT / "examples" / "serving" / "operations.txt"
SHIPPED = ROOT / "saved_models"
GOLDEN = ROOT / "tests" / "convert" / "golden"
_EXPORT = """
import json, os, sys
import keras, keras_transformer, keras_transformer.decoding, keras_transformer.hub
folder, out = sys.argv[1:3]
pipelines = {}
for name in ("translator", "embedder", "question_answer"):
    pipelines[name] = keras.models.load_model(os.path.join(folder, name + ".keras"))
    pipelines[name].export(os.path.join(out, name, "1"), warmup_texts=json.loads(sys.argv[3]))
if sys.argv[4] == "frozen too":
    embedder = pipelines["embedder"]
    embedder.export(os.path.join(out, "embedder", "2"), frozen=True)
    embedder.export(os.path.join(out, "embedder", "3"), frozen=True, dtype="bfloat16")
    embedder.export(os.path.join(out, "embedder", "4"), frozen=True, dtype="int8")
    texts = json.loads(sys.argv[3])
    embedder.export(os.path.join(out, "embedder", "5"), frozen=True, dtype="int8", calibration_texts=texts)
    translator = pipelines["translator"]
    translator.search = keras_transformer.decoding.GreedySearch()
    translator.export(os.path.join(out, "translator", "2"), frozen=True, dtype="int8")
    translator.search = keras_transformer.decoding.Sampling(top_k=3)
    translator.export(os.path.join(out, "translator", "3"), frozen=True)
    classifier = keras.Sequential([keras.Input((), dtype="string"), keras_transformer.hub.HubLayer(
        os.path.join(out, "embedder", "1")), keras.layers.Dense(2, activation="softmax")])
    classifier.export(os.path.join(out, "classifier", "1"), verbose=False)
print(json.dumps(sorted(os.listdir(out))))
"""


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
def exports(pipelines, tmp_path_factory):
    """Two folders of the same exports, each written by a process of its own; the first has frozen ones too."""
    folders = [tmp_path_factory.mktemp(name) for name in ("once", "again")]
    for folder, which in zip(folders, ("frozen too", "trainable")):
        assert set(run_python(_EXPORT, pipelines[1], folder, json.dumps(TEXTS), which)) >= set(pipelines[0])
    return folders


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


_LOAD = """
import ctypes, importlib.metadata, json, os, sys
import keras, numpy as np, tensorflow as tf, tensorflow_hub as hub, tensorflow_text, tf_keras
folder, texts, out = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
v1 = tf.compat.v1
found = {}
# As TensorFlow Serving does when it starts, unless it is told otherwise.
library = ctypes.CDLL(os.path.join(os.path.dirname(tf.__file__), "libtensorflow_cc.so.2"))
library._ZN10tensorflow21DisableXlaCompilationEv()
try:
    tf.function(lambda x: x + 1, jit_compile=True)(1)
except tf.errors.OpError as error:
    found["XLA"] = str(error)


def plain(value):
    value = np.asarray(value)
    return [x.decode("utf-8", "replace") for x in value.ravel()] if value.dtype == object else value.tolist()


def inputs_of(names):
    "Texts for each input; numbers as a server gets them, one for each text."
    return {name: np.full(len(texts), 1) if name in ("seed", "temperature", "top_p", "length_penalty") else
            np.array([""] * len(texts) if name == "prefixes" else texts) for name in names}


for name in sorted(os.listdir(folder)):
    for version in sorted(os.listdir(os.path.join(folder, name))):
        path = os.path.join(folder, name, version)
        ways = found[name + version] = {}
        with tf.Graph().as_default() as graph, v1.Session() as session:
            signatures = v1.saved_model.load(session, ["serve"], path).signature_def
            for signature, definition in signatures.items():
                if signature == "__saved_model_init_op":
                    continue
                ids = {"inputs": np.full([len(texts), 3], [5, 6, 3])}
                inputs = ids if signature == "ids" else inputs_of(definition.inputs)
                outputs = session.run(
                    {key: value.name for key, value in definition.outputs.items()},
                    {definition.inputs[key].name: value for key, value in inputs.items()},
                )
                assert all(len(value) == len(texts) for value in outputs.values()), (path, signature)
                ways[signature] = {key: plain(value) for key, value in outputs.items()}
            ways["variable operations"] = sum("Variable" in op.type or "VarHandle" in op.type
                                              for op in graph.get_operations())
        if name == "classifier":  # whose root Keras does not make callable
            continue
        main = "question_encoder" if name == "question_answer" else "serving_default"
        model = hub.load(path)
        ways["hub.load"] = plain(model(texts))
        ways["empty"] = model(tf.constant([], tf.string)).shape.as_list()
        ways["signatures"] = sorted(model.signatures)
        ways["variables"] = [len(model.variables), len(model.trainable_variables)]
        ways["TFSMLayer"] = plain(keras.layers.TFSMLayer(path, call_endpoint=main)(tf.constant(texts))["outputs"])
        if name + version in ("embedder2", "translator2", "translator3"):
            continue
        # The command of the tensorflow package, in this process, where the tokenizer's operations are registered.
        (command,) = importlib.metadata.entry_points(group="console_scripts", name="saved_model_cli")
        argument = "input" if name == "question_answer" else "inputs"
        written = os.path.join(out, name + version)
        sys.argv = ["saved_model_cli", "run", "--dir", path, "--tag_set", "serve", "--signature_def", main,
                    "--input_exprs", argument + "=" + repr(texts), "--outdir", written]
        try:
            command.load()()
        except SystemExit as done:
            assert not done.code, done
        ways["saved_model_cli"] = plain(np.load(os.path.join(written, "outputs.npy"), allow_pickle=True))

layer = hub.KerasLayer(os.path.join(folder, "embedder", "1"), trainable=True)
model = tf_keras.Sequential([tf_keras.layers.InputLayer((), dtype=tf.string), layer, tf_keras.layers.Dense(1)])
found["KerasLayer"] = {"before": plain(model.layers[0](tf.constant(texts)))}
model.compile(tf_keras.optimizers.Adam(0.01), "mse")
wanted = tf.constant([[float(len(text) > 5)] for text in texts])
found["KerasLayer"]["losses"] = model.fit(tf.constant(texts), wanted, epochs=4, verbose=0).history["loss"]
found["KerasLayer"]["trained"] = plain(model.layers[0](tf.constant(texts)))
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(layer(tf.constant(texts), training=False) ** 3)
found["KerasLayer"]["gradients"] = [g is not None for g in tape.gradient(loss, layer.trainable_variables)]
frozen = hub.KerasLayer(os.path.join(folder, "embedder", "2"))
found["KerasLayer"]["frozen"] = plain(frozen(tf.constant(texts)))
found["imported"] = "keras_transformer" in sys.modules
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(exports, tmp_path_factory):
    """What each way to load them gives for `TEXTS`."""
    return run_python(_LOAD, exports[0], json.dumps(TEXTS), tmp_path_factory.mktemp("saved_model_cli"))


@pytest.mark.parametrize("way", ["hub.load", "TFSMLayer", "saved_model_cli", "signature"])
def test_every_way_gives_the_same(way, found, pipelines):
    translator, embedder, question_answer = pipelines[0].values()

    def of(name, signature="serving_default"):
        return found[name][signature]["outputs"] if way == "signature" else found[name][way]

    assert of("translator1") == list(translator.translate(TEXTS))
    vectors = embedder.embed(TEXTS)
    for name in ("embedder1", "embedder2"):
        if way in found[name] or way == "signature":
            np.testing.assert_allclose(of(name), vectors, atol=1e-5)
    for name in ("embedder3", "embedder4", "embedder5"):
        np.testing.assert_allclose(of(name), vectors, atol=0.03)
        assert np.abs(np.array(of(name)) - vectors).max() > 1e-4  # they are bfloat16 and int8 indeed
    questions = question_answer.embed_questions(TEXTS)
    np.testing.assert_allclose(of("question_answer1", "question_encoder"), questions, atol=1e-5)
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


def test_operations_are_those_of_the_list(exports, tmp_path):
    """So that anybody can compare the list with what a server has; where this fails, the list is to be brought up."""
    for name in ("bert", "marian"):
        convert(GOLDEN / name).export(tmp_path / name)
    paths = {
        "t": exports[0] / "translator" / "1",
        "e": exports[0] / "embedder" / "1",
        "f": exports[0] / "embedder" / "3",
        "i": exports[0] / "embedder" / "4",
        "c": exports[0] / "embedder" / "5",
        "q": exports[0] / "question_answer" / "1",
        "a": SHIPPED / "sentence_encoder_lite_en" / "1",
        "b": tmp_path / "bert",
        "m": tmp_path / "marian",
    }
    of_exports = {letter: operations.of_saved_model(path) for letter, path in paths.items()}
    found = {
        operation: "".join(letter for letter, of_export in of_exports.items() if operation in of_export)
        for operation in sorted(set.union(*of_exports.values()))
    }
    lines = [line for line in OPERATIONS.read_text().splitlines() if line and not line.startswith("#")]
    assert {line.split()[0]: line.split()[1] for line in lines} == found
    for operation, _, library in map(str.split, lines):
        others = "oneDNN" if operation.startswith("_") else "tensorflow_text"
        assert library == ("TensorFlow" if hasattr(tf.raw_ops, operation) else others), operation
