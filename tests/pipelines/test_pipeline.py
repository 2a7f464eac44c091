"""What all pipelines share: the options of `export`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import QuestionAnswerEmbedder, TextEmbedder, Translator
from keras_transformer.decoding import BeamSearch
from keras_transformer.models import QuestionAnswerEncoder, SentenceEncoder, Transformer
from keras_transformer.pipelines.pipeline import WARMUP_TEXTS
from keras_transformer.text import ByteTokenizer
from tests import reference

TEXTS = ["red dog", "", "漢 blue house runs"]
V = ByteTokenizer().vocabulary_size


def make_encoder(**kwargs):
    encoder = SentenceEncoder(V, 1, 12, 19, 3, output_dim=7, **kwargs)
    reference.randomize(encoder, seed=1)
    return encoder


def make_embedder(**kwargs):
    return TextEmbedder(make_encoder(**kwargs), ByteTokenizer())


def make_question_answer_embedder():
    return QuestionAnswerEmbedder(QuestionAnswerEncoder(make_encoder(), hidden_dim=11, output_dim=5), ByteTokenizer())


def make_translator(search=None):
    transformer = Transformer(V, 1, 12, 19, 3, norm_first=True)
    reference.randomize(transformer, seed=3)
    return Translator(transformer, ByteTokenizer(), max_extra_length=2, search=search)


@pytest.fixture(scope="module")
def beam(tmp_path_factory):
    """An exported translator with beam search, frozen."""
    path = tmp_path_factory.mktemp("beam") / "1"
    make_translator(BeamSearch(3, num_best=2)).export(path, frozen=True, warmup_texts=TEXTS)
    return path


def recorded_requests(path):
    from tensorflow_serving.apis import prediction_log_pb2

    records = tf.data.TFRecordDataset(str(path / "assets.extra" / "tf_serving_warmup_requests"))
    logs = [prediction_log_pb2.PredictionLog.FromString(record.numpy()) for record in records]
    return [log.predict_log.request for log in logs]


def check_requests(path, texts):
    """They run, one alone and then all of each signature; with as many rows out as in, as a batching server needs."""
    signatures = tf.saved_model.load(path).signatures
    requests = recorded_requests(path)
    names = [request.model_spec.signature_name for request in requests]
    assert sorted(names) == sorted([*signatures, *signatures]) and names[: len(signatures)] == names[len(signatures) :]
    for number, request in enumerate(requests):
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        rows = 1 if number < len(signatures) else len(texts)
        assert {len(tensor) for tensor in inputs.values()} == {rows}
        for name in inputs.keys() & {"inputs", "input", "context"}:
            if inputs[name].dtype == object:
                assert [text.decode() for text in inputs[name]] == texts[:rows]
        outputs = signatures[request.model_spec.signature_name](**{n: tf.constant(t) for n, t in inputs.items()})
        assert {len(output) for output in outputs.values()} == {rows}


def test_warmup_requests_of_a_translator(beam):
    check_requests(beam, TEXTS)


@pytest.mark.parametrize("make", [make_embedder, make_question_answer_embedder])
def test_warmup_requests_of_embedders(make, tmp_path):
    make().export(tmp_path / "1", frozen=True)
    check_requests(tmp_path / "1", list(WARMUP_TEXTS))


def test_many_warmup_texts_are_sent_in_small_batches():
    requests = make_embedder()._warmup_requests([f"text {number}" for number in range(19)])
    sizes = [len(inputs["inputs"]) for name, inputs in requests if name == "lengths"]
    assert sizes == [1, 8, 8, 3] and make_embedder()._warmup_requests([]) == []
    assert len(make_embedder()._warmup_requests(["one"])) == 4  # of each signature one


def test_settings_of_each_text_are_those_of_it_alone(beam):
    """So that a server may put the requests of several clients into one batch."""
    signatures = tf.saved_model.load(beam).signatures
    settings = {
        "n_best": {"prefixes": ["", "x", "ab"], "length_penalty": np.float32([0.0, 1.0, 3.0])},
        "sample": {"seed": [3, 4, 4], "temperature": np.float32([1, 2, 0.5]), "top_p": np.float32([1, 0.9, 0.3])},
    }
    for name, columns in settings.items():
        columns = {"inputs": TEXTS, **columns}
        together = signatures[name](**{key: tf.constant(column) for key, column in columns.items()})
        for row in range(3):
            alone = signatures[name](**{key: tf.constant([column[row]]) for key, column in columns.items()})
            assert together["outputs"][row].numpy().tolist() == alone["outputs"][0].numpy().tolist()
            if name == "n_best":
                np.testing.assert_allclose(together["scores"][row], alone["scores"][0], atol=1e-5)
    everywhere = signatures["sample"](
        inputs=tf.constant(TEXTS), seed=tf.constant(4), temperature=tf.constant(2.0), top_p=tf.constant(0.9)
    )
    assert everywhere["outputs"][1].numpy() == together["outputs"][1].numpy()


def test_lora_is_frozen_too(tmp_path):
    embedder = make_embedder()
    embedder.encoder.enable_lora(2)
    for weight in embedder.trainable_weights:
        weight.assign(weight + 0.1)
    embedder.export(tmp_path / "1", frozen=True)
    np.testing.assert_allclose(tf.saved_model.load(tmp_path / "1")(TEXTS), embedder.embed(TEXTS), atol=1e-5)


def test_a_quantized_model_is_frozen_as_it_is(tmp_path):
    embedder = make_embedder()
    embedder.encoder.quantize("int8")
    embedder.export(tmp_path / "1", frozen=True)
    np.testing.assert_allclose(tf.saved_model.load(tmp_path / "1")(TEXTS), embedder.embed(TEXTS), atol=1e-5)
    with pytest.raises(ValueError, match="Expected a model that is not quantized, with dtype='bfloat16'. Received: "):
        embedder.export(tmp_path / "2", frozen=True, dtype="bfloat16")
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"dtype": "bfloat16"}, "Expected frozen=True with a dtype. Received: frozen=False, dtype='bfloat16'"),
        ({"frozen": True, "dtype": "float16"}, r"Expected one of \[None, 'bfloat16'\]. Received: dtype='float16'"),
        ({"warmup_texts": "one"}, "Expected a list of strings .* a single string, 'one'"),
        ({"warmup_texts": [1]}, "Expected a list of strings"),
    ],
)
def test_bad_options_write_nothing(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        make_embedder().export(tmp_path / "1", **options)
    assert list(tmp_path.iterdir()) == []


def test_an_export_leaves_the_state_of_dropout_alone(tmp_path):
    embedder = make_embedder(dropout=0.5)
    seeds = [v for v in embedder.variables if v.name == "seed_generator_state"]
    before = [seed.numpy().tolist() for seed in seeds]
    embedder.export(tmp_path / "1")
    assert seeds and [seed.numpy().tolist() for seed in seeds] == before
    loaded = tf.saved_model.load(tmp_path / "1")
    first, second = (loaded(["red dog"], training=True).numpy() for _ in range(2))
    assert np.abs(first - second).max() > 1e-3  # drawn anew each time
    keras.utils.set_random_seed(5)
    again = tf.saved_model.load(tmp_path / "1")(["red dog"], training=True).numpy()
    np.testing.assert_allclose(again, first, atol=1e-6)  # from the same start
