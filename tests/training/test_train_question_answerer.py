import importlib
import pathlib

import keras
import numpy as np
import pytest

import keras_transformer
from keras_transformer import TextEmbedder
from keras_transformer.convert import convert
from keras_transformer.models import DeepAveragingNetwork
from keras_transformer.text import ByteTokenizer
from keras_transformer.training import EmbeddingRecipe, train_question_answerer
from tests import made_data

GOLDEN = pathlib.Path(__file__).parents[1] / "convert" / "golden"
QUESTIONS, ANSWERS = made_data.pairs(20)
RECIPE = EmbeddingRecipe(
    encoder="averaging",
    model={"num_layers": 1, "hidden_dim": 12, "output_dim": 5},
    vocabulary_size=1100,
    steps=2,
    evaluation_steps=2,
    warmup_steps=1,
    max_length=40,
)


def say_nothing(*_, **__):
    pass


@pytest.fixture
def answers(write_lines):
    return write_lines("a.tsv", [f"{question}\t{answer}\tof {answer}" for question, answer in zip(QUESTIONS, ANSWERS)])


@pytest.fixture
def without_contexts(write_lines):
    return write_lines("b.tsv", ["\t".join(pair) for pair in zip(QUESTIONS, ANSWERS)])


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """(folder, embedder) to start from."""
    folder = tmp_path_factory.mktemp("start")
    keras.utils.set_random_seed(1)
    encoder = DeepAveragingNetwork(260, 13, 1, 12, output_dim=5)
    embedder = TextEmbedder(encoder, ByteTokenizer(), max_length=30)
    embedder.save(folder / "embedder.keras")
    return folder, embedder


def train(folder, answers, *more, **options):
    options = {"hidden_dim": 7, "output_dim": 6, "batch_size": 4, "verbose": 0, "say": say_nothing, **options}
    return train_question_answerer(folder, answers, *more, **{"recipe": RECIPE, **options})


def test_trains_from_files(answers, without_contexts, tmp_path):
    said = []
    history = train(tmp_path, [answers, answers], without_contexts, say=lambda text, **_: said.append(text))
    assert [logs["step"] for logs in history] == [2] and "val_mean_reciprocal_rank" in history[0]
    assert said[0].startswith("answers: 40 rows, ")
    assert said[-1] == f"Wrote {tmp_path / 'question_answerer.keras'}"
    answerer = keras_transformer.load(tmp_path)
    assert isinstance(answerer.encoder.encoder, DeepAveragingNetwork) and answerer.max_length == 40
    assert set(ANSWERS[0].split()) | {"of"} <= set(answerer.tokenizer.vocabulary)  # contexts too
    assert answerer.encoder.question_hidden.units == 7
    assert answerer.embed_responses(["red dog"], ["of"]).shape == (1, 6)


def test_starts_from_an_embedder(start, answers, tmp_path):
    """With a learning rate of next to nothing its encoder is that of the embedder still."""
    folder, embedder = start
    recipe = EmbeddingRecipe(steps=2, evaluation_steps=2, warmup_steps=1, learning_rate=1e-9, max_length=40)
    for dtype, out in (("float32", "a"), ("mixed_bfloat16", "b")):
        train(tmp_path / out, answers, embedder=folder, recipe=recipe, dtype=dtype)
        answerer = keras_transformer.load(tmp_path / out)
        assert isinstance(answerer.tokenizer, ByteTokenizer) and answerer.max_length == 30
        assert answerer.encoder.encoder.dtype_policy.name == answerer.encoder.question_hidden.dtype_policy.name == dtype
        for ours, theirs in zip(answerer.encoder.encoder.get_weights(), embedder.encoder.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_training_from_another_embedder_is_refused(start, answers, tmp_path):
    folder, embedder = start
    train(tmp_path / "out", answers, embedder=folder)
    weights = embedder.encoder.get_weights()
    other = TextEmbedder(DeepAveragingNetwork(260, 13, 1, 12, output_dim=5), ByteTokenizer(), max_length=30)
    other.encoder.set_weights([weights[0] + 1, *weights[1:]])
    other.save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="Received: other content of origin$"):
        train(tmp_path / "out", answers, embedder=tmp_path / "other.keras")
    assert len(train(tmp_path / "out", answers, embedder=folder / "embedder.keras")) == 1


def test_of_berts_tokens_some_stand_around_no_context(without_contexts, tmp_path, monkeypatch):
    """So that an answer without a context is trained with the vector of an empty one."""
    convert(GOLDEN / "bert").save(tmp_path / "bert.keras")
    seen = []
    module = importlib.import_module("keras_transformer.training.train_question_answerer")
    monkeypatch.setattr(module, "fit_question_answerer", lambda embedder, tasks, *_, **__: seen.extend(tasks))
    train(tmp_path, without_contexts, embedder=tmp_path / "bert.keras", batch_size=20)
    (task,) = seen
    rows = {tuple(task.texts[number] for number in row) for row in task.batch(0, seed=0).texts}
    assert rows == set(zip(QUESTIONS, ANSWERS, [""] * 20))


def test_what_cannot_work_leaves_nothing(start, answers, write_lines, tmp_path):
    quantized = keras.models.load_model(start[0] / "embedder.keras")
    quantized.encoder.quantize("int8")
    quantized.save(tmp_path / "int8.keras")
    ids = keras.Input((None,), dtype="int32")
    foreign = keras.Model(ids, keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(260, 5)(ids)))
    TextEmbedder(foreign, ByteTokenizer()).save(tmp_path / "foreign.keras")
    (tmp_path / "damaged.keras").write_bytes(b"PK")
    for options, message in [
        ({"answers": write_lines("bad.tsv", ["q\ta", "q"])}, "bad.tsv, line 2: expected 2 columns"),
        ({"embedder": tmp_path / "int8.keras"}, "that is not quantized to start from. Received: .*int8.keras"),
        (
            {"embedder": tmp_path / "foreign.keras", "dtype": "mixed_bfloat16"},
            "foreign.keras, float32. Received: mixed",
        ),
        ({"embedder": tmp_path / "damaged.keras"}, "damaged.keras: it is truncated"),
        ({"hidden_dim": 0, "embedder": start[0]}, "hidden_dim=0"),
        ({"scale": 0, "embedder": start[0]}, "scale=0"),
    ]:
        with pytest.raises(ValueError, match=message):
            train(tmp_path / "out", **{"answers": answers, **options})
    assert not (tmp_path / "out").exists()
