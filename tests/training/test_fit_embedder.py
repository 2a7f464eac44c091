import csv
import dataclasses

import keras
import numpy as np
import pytest

from keras_transformer import TextEmbedder
from keras_transformer.evaluation.textual_similarity import pearson
from keras_transformer.models import DeepAveragingNetwork
from keras_transformer.text import ByteTokenizer, WordTokenizer
from keras_transformer.training import (
    EmbeddingRecipe,
    GuidedRanking,
    Matryoshka,
    ResponseRanking,
    SentenceTask,
    SimilarityRegression,
    fit_embedder,
)
from tests import made_data

RECIPE = EmbeddingRecipe(
    steps=12, evaluation_steps=4, warmup_steps=4, learning_rate=3e-3, max_length=64, ema=0.5, clip_norm=1.0
)
SOURCES, TARGETS = made_data.pairs(40)
SCORES = np.linspace(0, 5, 40)
VALIDATION = SCORES.tolist(), SOURCES, TARGETS


def embedder():
    keras.utils.set_random_seed(4)
    return TextEmbedder(DeepAveragingNetwork(260, 13, 1, 12, output_dim=5, dropout=0.2), ByteTokenizer())


def tasks():
    rows = list(zip(SOURCES, TARGETS))
    return [
        SentenceTask("ranking", rows, ResponseRanking(response_network=4), batch_size=8),
        SentenceTask("similarity", rows, SimilarityRegression(), SCORES.astype("float32") / 5, batch_size=8),
    ]


class Cut(Exception):
    pass


def cut_after(steps, tasks):
    """The same tasks, which end it all when a batch more is wanted."""
    left = [steps + len(tasks)]  # each shows a batch before the training begins

    def counted(batch):
        def next_batch(number, seed):
            left[0] -= 1
            if left[0] < 0:
                raise Cut
            return batch(number, seed)

        return next_batch

    for task in tasks:
        task.batch = counted(task.batch)
    return tasks


def vectors(of):
    return of.embed(SOURCES)


def test_the_best_round_is_saved(tmp_path):
    path = tmp_path / "out" / "embedder.keras"
    history = fit_embedder(embedder(), tasks(), VALIDATION, path=path, recipe=RECIPE, verbose=0)
    with open(tmp_path / "out" / "history.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_pearson"]) for row in rows] == [logs["val_pearson"] for logs in history]
    assert [float(row["step"]) for row in rows] == [4, 8, 12]
    assert {"loss_ranking", "loss_similarity"} <= set(rows[0])
    saved = keras.models.load_model(path)
    cosines = (saved.embed(SOURCES) * saved.embed(TARGETS)).sum(axis=1)
    best = max(logs["val_pearson"] for logs in history)
    assert pearson(cosines, SCORES) == pytest.approx(best, abs=1e-5)  # of the moving average


def guided_tasks():
    vectors = dict(zip(SOURCES + TARGETS, np.random.RandomState(0).normal(size=(80, 3))))
    return [
        SentenceTask(
            "ranking", list(zip(SOURCES, TARGETS)), Matryoshka(GuidedRanking(20.0), [2]), batch_size=8,
            no_duplicates=True, guide=lambda texts: np.stack([vectors[text] for text in texts]),
        )
    ]  # fmt: skip


@pytest.mark.parametrize("tasks", [tasks, guided_tasks])
def test_a_training_that_was_cut_off_ends_as_the_unbroken_one(tasks, tmp_path):
    whole = fit_embedder(embedder(), tasks(), VALIDATION, path=tmp_path / "a" / "e.keras", recipe=RECIPE, verbose=0)

    with pytest.raises(Cut):  # within the second round
        fit_embedder(
            embedder(), cut_after(6, tasks()), VALIDATION, path=tmp_path / "b" / "e.keras", recipe=RECIPE,
            checkpoint_minutes=0, verbose=0,
        )  # fmt: skip
    resumed = fit_embedder(embedder(), tasks(), VALIDATION, path=tmp_path / "b" / "e.keras", recipe=RECIPE, verbose=0)
    for a, b in zip(whole, resumed, strict=True):
        figures = [{name: value for name, value in logs.items() if name != "minutes"} for logs in (a, b)]
        assert figures[0] == pytest.approx(figures[1], abs=1e-4)
    assert all(any(f"loss_{task.name}" in logs for logs in whole) for task in tasks())
    saved = [keras.models.load_model(tmp_path / name / "e.keras") for name in "ab"]
    np.testing.assert_allclose(*map(vectors, saved), atol=1e-4)
    other = dataclasses.replace(RECIPE, learning_rate=1e-3)
    with pytest.raises(ValueError, match=r"same arguments .* Received: learning_rate=0.001 \(not 0.003\)$"):
        fit_embedder(embedder(), tasks(), VALIDATION, path=tmp_path / "a" / "e.keras", recipe=other, verbose=0)


def test_texts_that_are_cut_or_empty_are_reported(tmp_path):
    rows = [("red dog", "x" * 65), ("", "blue")]
    task = SentenceTask("ranking", rows, ResponseRanking(), batch_size=2)
    recipe = dataclasses.replace(RECIPE, steps=5, evaluation_steps=5)
    with pytest.warns(UserWarning) as caught:
        fit_embedder(embedder(), [task], path=tmp_path / "e.keras", recipe=recipe, verbose=0)
    found = [str(warning.message) for warning in caught]
    assert "1 of 4 texts have more than 64 tokens" in found
    assert "1 of 4 texts have no token" in found


def test_other_data_or_another_vocabulary_are_refused(tmp_path):
    """As many rows and token ids as before, which would mean something else."""
    path = tmp_path / "e.keras"
    recipe = dataclasses.replace(RECIPE, steps=5, evaluation_steps=5)
    words = ["red", "dog"]

    def fit(words=words, rows=(("red dog", "dog"), ("red", "dog red")), scores=(1.0, 4.0)):
        tokenizer = WordTokenizer(words, 4)
        keras.utils.set_random_seed(4)
        embedder = TextEmbedder(DeepAveragingNetwork(tokenizer.vocabulary_size, 0, 1, 6, output_dim=5), tokenizer)
        task = SentenceTask("ranking", rows, ResponseRanking(), batch_size=2)
        validation = scores, ["red", "dog"], ["dog", "dog"]
        fit_embedder(embedder, [task], validation, path=path, recipe=recipe, verbose=0)

    fit()
    for options, message in [
        ({"words": words[::-1]}, "other content of tokenizer$"),
        ({"rows": (("red dog", "dog"), ("red", "red dog"))}, "Received: other content of task 1 data$"),
        ({"scores": (1.0, 3.0)}, "Received: other content of validation$"),
    ]:
        with pytest.raises(ValueError, match=message):
            fit(**options)
    fit()
