"""What all pipelines share: the options of `export`."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_transformer import QuestionAnswerEmbedder, TextEmbedder, Translator
from keras_transformer.decoding import BeamSearch
from keras_transformer.models import QuestionAnswerEncoder, SentenceEncoder, Transformer
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


def make_translator():
    return Translator(Transformer(V, 1, 12, 19, 3), ByteTokenizer(), search=BeamSearch(3, 0.7))


SIGNATURES = {
    make_embedder: {"serving_default", "ids", "tokens", "lengths"},
    make_question_answer_embedder: {"question_encoder", "response_encoder", "lengths"},
    make_translator: {"serving_default", "ids", "n_best", "sample", "alignment", "lengths"},
}


def graph_of(path):
    """The SavedModel's graph, as text."""
    saved_model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    return str(saved_model.meta_graphs[0].graph_def)


@pytest.mark.parametrize("make", SIGNATURES)
def test_warmup_requests(make):
    """One text alone and then all for each signature, in every input as many rows."""
    pipeline = make()
    requests = pipeline._batched_warmup_requests(TEXTS)
    names = [name for name, _ in requests]
    number = len(SIGNATURES[make])
    assert set(names) == SIGNATURES[make] and names[:number] == names[number:]
    for place, (name, inputs) in enumerate(requests):
        texts = TEXTS[: 1 if place < number else 3]
        assert {len(tensor) for tensor in inputs.values()} == {len(texts)}
        if name == "ids":
            wanted = pipeline.tokenizer(texts, add_end=make is make_translator)
            np.testing.assert_array_equal(inputs["inputs"], wanted)
        else:
            strings = inputs.get("inputs", inputs.get("input"))
            assert [text.decode() for text in strings.numpy()] == texts
        if name == "n_best":
            np.testing.assert_allclose(inputs["length_penalty"], [0.7] * len(texts))


def test_many_warmup_texts_are_sent_in_small_batches():
    requests = make_embedder()._batched_warmup_requests([f"text {number}" for number in range(19)])
    sizes = [len(inputs["inputs"]) for name, inputs in requests if name == "lengths"]
    assert sizes == [1, 8, 8, 3] and make_embedder()._batched_warmup_requests([]) == []
    assert len(make_embedder()._batched_warmup_requests(["one"])) == 4  # of each signature one


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("make", SIGNATURES)
def test_lists_of_any_texts_are_traced_once(make, frozen, tmp_path):
    """An export without a signature took half a second and megabytes for each new list of `str`."""
    make().export(tmp_path / "1", frozen=frozen, warmup_texts=())
    loaded = tf.saved_model.load(tmp_path / "1")
    wanted = loaded(tf.constant(TEXTS)).numpy()
    for number in range(1, 4):
        given = loaded(TEXTS[:number]).numpy()
        assert given.shape == wanted[:number].shape
        if make is not make_translator:
            np.testing.assert_allclose(given, wanted[:number], atol=1e-6)
    if make is not make_translator and not frozen:
        assert loaded(["a"], training=True).shape == loaded(["b"], training=tf.constant(False)).shape
    assert loaded.__call__.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("make", [make_embedder, make_question_answer_embedder])
def test_vectors_of_more_texts_than_go_through_the_model_at_once(make, tmp_path):
    pipeline = make()
    pipeline.export(tmp_path / "1", warmup_texts=())
    texts = [f"{'red ' * (number % 7)}{number}" for number in range(700)]
    loaded = tf.saved_model.load(tmp_path / "1")
    np.testing.assert_allclose(loaded(texts), pipeline(texts), atol=1e-6)
    if make is make_embedder:
        ids = pipeline.tokenizer(texts)
        np.testing.assert_allclose(loaded.signatures["ids"](inputs=ids)["outputs"], pipeline(texts), atol=1e-6)
        return
    given = loaded.signatures["response_encoder"](input=tf.constant(texts), context=tf.constant(texts[::-1]))
    np.testing.assert_allclose(given["outputs"], pipeline.embed_responses(texts, texts[::-1]), atol=1e-6)


def test_lora_is_frozen_too(tmp_path):
    embedder = make_embedder()
    embedder.encoder.enable_lora(2)
    for weight in embedder.trainable_weights:
        weight.assign(weight + 0.4)
    embedder.export(tmp_path / "1", frozen=True)
    np.testing.assert_allclose(tf.saved_model.load(tmp_path / "1")(TEXTS), embedder.embed(TEXTS), atol=1e-5)


def test_a_quantized_model_is_frozen_as_it_is(tmp_path):
    embedder = make_embedder()
    embedder.quantize("int8")
    wanted = embedder.embed(TEXTS)
    embedder.export(tmp_path / "1", frozen=True)
    assert "_QuantizedMatMul" in graph_of(tmp_path / "1")
    np.testing.assert_allclose(tf.saved_model.load(tmp_path / "1")(TEXTS), wanted, atol=1e-5)
    np.testing.assert_array_equal(embedder.embed(TEXTS), wanted)  # it stays as it is
    with pytest.raises(ValueError, match="Expected a model that is not quantized, with dtype='bfloat16'. Received: "):
        embedder.export(tmp_path / "2", frozen=True, dtype="bfloat16")
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


def test_weights_of_127_steps_are_left_to_keras(tmp_path):
    embedder = make_embedder()
    keras.Model.quantize(embedder, "int8", keras.quantizers.Int8QuantizationConfig())
    embedder.export(tmp_path / "1", frozen=True)
    assert "_QuantizedMatMul" not in graph_of(tmp_path / "1")
    np.testing.assert_allclose(tf.saved_model.load(tmp_path / "1")(TEXTS), embedder.embed(TEXTS), atol=1e-5)


def test_float32_of_a_model_that_was_trained_in_mixed_precision(tmp_path):
    embedder = make_embedder(dtype="mixed_bfloat16")
    embedder.export(tmp_path / "1", dtype="float32")
    loaded = tf.saved_model.load(tmp_path / "1")
    in_float32 = make_embedder().embed(TEXTS)  # of the same weights
    np.testing.assert_allclose(loaded(TEXTS), in_float32, atol=1e-6)
    assert np.abs(embedder.embed(TEXTS) - in_float32).max() > 1e-4
    assert len(loaded.trainable_variables) == len(embedder.trainable_weights)
    assert "DT_BFLOAT16" not in graph_of(tmp_path / "1")
    embedder.export(tmp_path / "2")
    assert "DT_BFLOAT16" in graph_of(tmp_path / "2")


def test_int8_is_what_keras_computes_of_the_quantized_model(tmp_path):
    embedder = make_embedder(dtype="mixed_bfloat16")
    embedder.export(tmp_path / "1", frozen=True, dtype="int8")
    loaded = tf.saved_model.load(tmp_path / "1")
    quantized = make_embedder()
    quantized.quantize("int8")
    wanted = quantized.embed(TEXTS)
    np.testing.assert_allclose(loaded(TEXTS), wanted, atol=1e-5)
    assert np.abs(make_embedder().embed(TEXTS) - wanted).max() > 1e-4
    graph = graph_of(tmp_path / "1")
    assert "_QuantizedMatMul" in graph and "DT_BFLOAT16" not in graph
    assert embedder.encoder.projection.quantization_mode is None  # it stays as it is


def test_int8_with_a_calibration(tmp_path):
    embedder = make_embedder()
    embedder.export(tmp_path / "1", frozen=True, dtype="int8", calibration_texts=TEXTS)
    assert "QuantizeV2" in graph_of(tmp_path / "1")
    np.testing.assert_allclose(tf.saved_model.load(tmp_path / "1")(TEXTS), embedder.embed(TEXTS), atol=0.05)


def test_int8_is_refused_where_tensorflow_cannot_multiply_it(monkeypatch, tmp_path):
    monkeypatch.setattr("keras_transformer.quantization.int8_matmul.is_available", lambda: False)
    with pytest.raises(ValueError, match="Expected a TensorFlow for x86 processors with dtype='int8'"):
        make_embedder().export(tmp_path / "1", frozen=True, dtype="int8")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options, message",
    [
        ({"dtype": "int8"}, "Expected frozen=True with dtype='int8'. Received: frozen=False"),
        (
            {"frozen": True, "calibration_texts": ["a"]},
            "Expected dtype='int8' with calibration_texts. Received: dtype=None",
        ),
        ({"frozen": True, "dtype": "int8", "calibration_texts": "one"}, "Expected a list of strings"),
        (
            {"frozen": True, "dtype": "int8", "calibration_texts": ["", " "]},
            "Expected calibration_texts that are not all",
        ),
        (
            {"frozen": True, "dtype": "int8", "calibration_texts": []},
            "Expected calibration_texts that are not all blank",
        ),
        (
            {"frozen": True, "dtype": "bfloat16", "calibration_texts": []},
            "Expected dtype='int8' with calibration_texts",
        ),
        ({"dtype": "bfloat16"}, "Expected frozen=True with dtype='bfloat16'. Received: frozen=False"),
        ({"frozen": True, "dtype": "float16"}, "Expected one of .* Received: dtype='float16'"),
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
