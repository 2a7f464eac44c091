import csv
import dataclasses

import keras
import numpy as np
import pytest

import keras_transformer
from keras_transformer import QuestionAnswerEmbedder
from keras_transformer.evaluation import score_answers
from keras_transformer.models import DeepAveragingNetwork, QuestionAnswerEncoder
from keras_transformer.text import ByteTokenizer, WordTokenizer
from keras_transformer.training import (
    EmbeddingRecipe,
    QuestionAnswerRanking,
    ResponseRanking,
    SentenceTask,
    fit_question_answerer,
)
from tests import made_data
from tests.training.test_fit_embedder import Cut, cut_after

RECIPE = EmbeddingRecipe(steps=6, evaluation_steps=3, warmup_steps=3, learning_rate=3e-3, max_length=64, ema=0.5)
QUESTIONS, ANSWERS = made_data.pairs(24)
CONTEXTS = ["", *ANSWERS[:-1]]
VALIDATION = QUESTIONS, ANSWERS, CONTEXTS


def answerer(tokenizer=None, width=6, word_dropout=0.2):
    keras.utils.set_random_seed(4)
    tokenizer = tokenizer or ByteTokenizer()
    encoder = DeepAveragingNetwork(
        tokenizer.vocabulary_size, 13, 1, width, output_dim=width, dropout=0.0, word_dropout=word_dropout
    )
    return QuestionAnswerEmbedder(QuestionAnswerEncoder(encoder, hidden_dim=7, output_dim=width), tokenizer)


def task(embedder, *columns, name="answers"):
    return SentenceTask(name, list(zip(*columns)), QuestionAnswerRanking(embedder.encoder), batch_size=8)


def fit(path, cut=None, recipe=RECIPE, validation=VALIDATION, **options):
    """Trains anew."""
    embedder = answerer()
    tasks = [task(embedder, *VALIDATION)]
    tasks = tasks if cut is None else cut_after(cut, tasks)
    return fit_question_answerer(embedder, tasks, validation, path=path, recipe=recipe, verbose=0, **options)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """(folder, history) of a whole training."""
    folder = tmp_path_factory.mktemp("unbroken")
    return folder, fit(folder / "question_answerer.keras")


def vectors(of):
    return np.concatenate([of.embed_questions(QUESTIONS), of.embed_responses(ANSWERS, CONTEXTS)])


def test_the_best_round_is_saved_with_its_networks(unbroken):
    folder, history = unbroken
    with open(folder / "history.csv") as file:
        rows = list(csv.DictReader(file))
    monitor = "val_mean_reciprocal_rank"
    assert [float(row[monitor]) for row in rows] == [logs[monitor] for logs in history]
    assert [float(row["step"]) for row in rows] == [3, 6] and "loss_answers" in rows[0]
    saved = keras_transformer.load(folder)
    scores = score_answers(saved, *VALIDATION)
    best = max(history, key=lambda logs: logs[monitor])
    assert scores.mean_reciprocal_rank == pytest.approx(best[monitor], abs=1e-6)
    assert scores.precision_at_1 == best["val_precision_at_1"]
    for layer, before in zip(saved.encoder.networks, answerer().encoder.networks):
        assert np.abs(layer.get_weights()[0] - before.get_weights()[0]).max() > 1e-3


def test_what_is_exported_is_what_was_saved(unbroken, tmp_path):
    saved = keras_transformer.load(unbroken[0])
    saved.export(tmp_path / "1", warmup_texts=())
    np.testing.assert_allclose(vectors(keras_transformer.load(tmp_path)), vectors(saved), atol=1e-5)


def test_a_training_that_was_cut_off_ends_as_the_unbroken_one(unbroken, tmp_path):
    path = tmp_path / "question_answerer.keras"
    with pytest.raises(Cut):
        fit(path, cut=4, checkpoint_minutes=0)  # within the second round
    for a, b in zip(unbroken[1], fit(path), strict=True):
        figures = [{name: value for name, value in logs.items() if name != "minutes"} for logs in (a, b)]
        assert figures[0] == pytest.approx(figures[1], abs=1e-4)
    np.testing.assert_allclose(*(vectors(keras_transformer.load(at)) for at in (unbroken[0], tmp_path)), atol=1e-4)


def test_another_training_is_refused(unbroken):
    path = unbroken[0] / "question_answerer.keras"
    for options, message in [
        ({"recipe": dataclasses.replace(RECIPE, learning_rate=1e-3)}, r"Received: learning_rate=0.001 \(not 0.003\)$"),
        ({"validation": (QUESTIONS, ANSWERS, None)}, "Received: other content of validation$"),
        ({"origin": "elsewhere"}, r'Received: origin="elsewhere" \(not none\)$'),
    ]:
        with pytest.raises(ValueError, match=message):
            fit(path, **options)


def test_learns_which_answer_fits(tmp_path):
    """Which word answers which; by two tasks of the same networks, one without contexts."""
    words = [f"w{number}" for number in range(24)]
    questions, answers, nothing = words[:12], words[12:], [""] * 12
    embedder = answerer(WordTokenizer(words), width=16, word_dropout=0.0)
    before = score_answers(embedder, questions, answers).mean_reciprocal_rank
    recipe = dataclasses.replace(RECIPE, steps=60, evaluation_steps=60, ema=0.0, average_last=1, learning_rate=3e-2)
    tasks = [task(embedder, questions, answers, nothing), task(embedder, questions, answers, name="without")]
    validation = questions, answers, None
    (logs,) = fit_question_answerer(embedder, tasks, validation, path=tmp_path / "q.keras", recipe=recipe, verbose=0)
    assert before < 0.5 and logs["val_mean_reciprocal_rank"] > 0.9
    assert {"loss_answers", "loss_without"} <= set(logs)


def test_bad_tasks(tmp_path):
    embedder, path = answerer(), tmp_path / "out" / "q.keras"
    other = SentenceTask("pairs", list(zip(QUESTIONS, ANSWERS)), ResponseRanking(), batch_size=8)
    with pytest.raises(ValueError, match=r"a QuestionAnswerRanking among the tasks. Received: \['ResponseRanking'\]"):
        fit_question_answerer(embedder, [other], path=path)
    with pytest.raises(ValueError, match="of the embedder's own model. Received: another's, of 'answers'"):
        fit_question_answerer(embedder, [task(answerer(), QUESTIONS, ANSWERS)], path=path)
    with pytest.raises(ValueError, match="patience=2 without any"):
        recipe = dataclasses.replace(RECIPE, patience=2)
        fit_question_answerer(embedder, [task(embedder, QUESTIONS, ANSWERS)], path=path, recipe=recipe)
    assert not path.parent.exists()


def test_an_encoder_with_a_vector_of_nothing_wants_contexts(tmp_path):
    """Its responses without a context are not those with zeros in its place."""
    ids = keras.Input((None,), dtype="int32")
    encoder = keras.Model(ids, keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(260, 5)(ids)))
    embedder = QuestionAnswerEmbedder(QuestionAnswerEncoder(encoder, hidden_dim=7, output_dim=6), ByteTokenizer())
    with pytest.raises(ValueError, match="an empty one if there is no other, .* Received: 'answers' without contexts"):
        fit_question_answerer(embedder, [task(embedder, QUESTIONS, ANSWERS)], path=tmp_path / "q.keras")
