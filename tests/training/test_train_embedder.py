import dataclasses

import keras
import numpy as np
import pytest

from keras_transformer.training import (
    EmbeddingRecipe,
    GuidedRanking,
    SimilarityCorrelation,
    read_tasks,
    train_embedder,
)
from tests import made_data

MODEL = {"num_layers": 1, "hidden_dim": 12, "output_dim": 5}
RECIPE = EmbeddingRecipe(
    encoder="averaging", model=MODEL, vocabulary_size=1100, steps=2, evaluation_steps=2, warmup_steps=1
)
PAIRS = list(zip(*made_data.pairs(20)))


@pytest.fixture
def files(write_lines):
    ranking = write_lines("r.tsv", ["\t".join(pair) for pair in PAIRS])
    return {
        "ranking": [ranking],
        "similarity": [write_lines("s.tsv", [f"{i / 4}\t{a}\t{b}" for i, (a, b) in enumerate(PAIRS)])],
    }


def test_tasks_are_read_by_kind(files):
    ranking, similarity = read_tasks(
        files, {"similarity": SimilarityCorrelation()}, {"ranking": 3.0}, batch_size=4, ranking_batch_size=6
    )
    assert (ranking.name, ranking.weight, ranking.batch_size, ranking.num_rows) == ("ranking", 3.0, 6, 20)
    assert (similarity.name, similarity.weight, similarity.batch_size) == ("similarity", 1.0, 4)
    assert isinstance(similarity.objective, SimilarityCorrelation)
    with pytest.raises(ValueError, match="teacher. Received: 'rank'"):
        read_tasks({"rank": files["ranking"]})


def test_a_guide_is_for_what_ranks(files):
    ranking, similarity = read_tasks(files, no_duplicates=True, guide=lambda texts: np.ones((len(texts), 2)))
    assert isinstance(ranking.objective, GuidedRanking) and ranking.no_duplicates
    assert ranking.batch(0, 0).targets.shape == (20, 2, 2)
    assert not similarity.no_duplicates and similarity.batch(0, 0).targets.shape == (20,)


def test_trains_from_tasks(files, tmp_path):
    said = []
    history = train_embedder(
        tmp_path, read_tasks(files, batch_size=4), files["similarity"], recipe=RECIPE, verbose=0,
        say=lambda text, **_: said.append(text),
    )  # fmt: skip
    assert [logs["step"] for logs in history] == [2] and "val_pearson" in history[0]
    assert said[0].startswith("ranking: 20 rows, ") and said[-1] == f"Wrote {tmp_path / 'embedder.keras'}"
    assert keras.models.load_model(tmp_path / "embedder.keras").embed(["red dog"]).shape == (1, 5)


def test_arguments_of_another_encoder_are_refused(files, tmp_path):
    recipe = dataclasses.replace(RECIPE, model={"num_heads": 2})
    with pytest.raises(ValueError, match="arguments of the encoder 'averaging'. Received: num_heads"):
        train_embedder(tmp_path / "out", read_tasks(files), recipe=recipe, say=lambda *_, **__: None)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("argument", ["weights", "objectives"])
def test_what_belongs_to_no_files_is_refused(files, argument):
    with pytest.raises(ValueError, match=f"Expected {argument} of .*ranking.* Received: rankings"):
        read_tasks(files, **{argument: {"rankings": 3.0}})


def test_prompts_go_in_front_by_role_and_stay_with_the_embedder(files, tmp_path):
    prompts = {"query": "q: ", "passage": "p: "}
    ranking, similarity = tasks = read_tasks(files, batch_size=4, prompts=prompts)
    assert {text[:3] for text in ranking.texts} == {"q: ", "p: "}
    texts = ranking.batch(0, 0).texts
    assert all(ranking.texts[row[0]].startswith("q: ") and ranking.texts[row[1]].startswith("p: ") for row in texts)
    assert not any(text.startswith(("q: ", "p: ")) for text in similarity.texts)
    train_embedder(tmp_path, tasks, recipe=RECIPE, prompts=prompts, verbose=0, say=lambda *_, **__: None)
    assert keras.models.load_model(tmp_path / "embedder.keras").prompts == prompts
