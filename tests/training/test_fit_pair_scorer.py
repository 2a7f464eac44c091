import csv
import dataclasses

import keras
import numpy as np
import pytest

import keras_transformer
from keras_transformer import TextPairScorer
from keras_transformer.evaluation import score_pairs
from keras_transformer.models import CrossEncoder, SentenceEncoder
from keras_transformer.text import ByteTokenizer
from keras_transformer.training import EmbeddingRecipe, PairData, fit_pair_scorer
from keras_transformer.training.fit_pair_scorer import training_loop
from keras_transformer.training.pair_batches import PairBatches
from keras_transformer.training.training_loop import TrainingLoop
from tests import made_data

RECIPE = EmbeddingRecipe(steps=6, evaluation_steps=3, warmup_steps=3, learning_rate=3e-3, max_length=64, ema=0.5)
FIRST, SECOND = made_data.pairs(12)
PAIRS = [*zip(FIRST, SECOND), *zip(FIRST, SECOND[1:] + SECOND[:1])]
MATCHES = PairData(PAIRS, [1] * 12 + [0] * 12)


def make(data=MATCHES, dropout=0.1):
    keras.utils.set_random_seed(4)
    tokenizer = ByteTokenizer()
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 13, 3, output_dim=6, dropout=dropout)
    model = CrossEncoder(encoder, len(data.labels) if data.labels else 1, hidden_dim=7, dropout=dropout)
    return TextPairScorer(model, tokenizer, 64, data.activation, data.labels)


def fit(path, recipe=RECIPE, data=MATCHES, validation=MATCHES, **options):
    return fit_pair_scorer(make(data), data, validation, path=path, recipe=recipe, batch_size=8, verbose=0, **options)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """(folder, history) of a whole training."""
    folder = tmp_path_factory.mktemp("unbroken")
    return folder, fit(folder / "pair_scorer.keras")


def test_the_best_round_is_saved(unbroken):
    folder, history = unbroken
    with open(folder / "history.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["step"]) for row in rows] == [3, 6]
    saved = keras_transformer.load(folder)
    found = score_pairs(saved.score(PAIRS), MATCHES.targets, "matches").estimates[0].value
    assert found == pytest.approx(max(logs["val_average_precision"] for logs in history), abs=1e-6)
    assert np.abs(saved.score(PAIRS) - make().score(PAIRS)).max() > 1e-3


class Cut(Exception):
    pass


def test_a_training_that_was_cut_off_ends_as_the_unbroken_one(unbroken, tmp_path, monkeypatch):
    path, steps = tmp_path / "pair_scorer.keras", TrainingLoop.steps

    def cut(self, batches, first=0):
        for number, step in enumerate(steps(self, batches, first)):
            if number == 1 and first:
                raise Cut
            yield step
            if number == 1:  # within an epoch of three steps
                raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(TrainingLoop, "steps", cut)
        with pytest.raises(Cut):
            fit(path, checkpoint_minutes=0)
    for a, b in zip(unbroken[1], fit(path), strict=True):
        figures = [{name: value for name, value in logs.items() if name != "minutes"} for logs in (a, b)]
        assert figures[0] == pytest.approx(figures[1], abs=1e-4)
    np.testing.assert_allclose(*(keras_transformer.load(at).score(PAIRS) for at in (unbroken[0], tmp_path)), atol=1e-4)


def test_losses_by_hand():
    """That of the first step is of the whole batch, which comes in two micro-batches."""
    cases = (
        (PairData(PAIRS[:8], np.linspace(0, 1, 8)), lambda z, t: np.logaddexp(0, z) - t * z),
        (PairData(PAIRS[:8], np.linspace(-5, 9, 8), activation="linear"), lambda z, t: (z - t) ** 2),
        (
            PairData(PAIRS[:8], [0, 1, 2, 0, 1, 2, 0, 1], ["x", "y", "z"]),
            lambda z, t: np.log(np.exp(z).sum(axis=1)) - z[np.arange(8), t],
        ),
    )
    for data, losses in cases:
        scorer = make(data, dropout=0.0)
        by_hand = losses(scorer.logits(data.pairs).astype("float64"), data.targets).mean()
        batches = PairBatches(data, scorer.tokenizer, 64, batch_size=8, max_tokens=256)
        (loss, rows), *_ = training_loop(scorer, RECIPE, None, batches.micro_batches).steps(batches.of_epoch(0))
        assert (rows, batches.micro_batches) == (8, 2)
        assert loss == pytest.approx(by_hand, rel=1e-4), data.activation


def test_what_does_not_fit_is_refused(tmp_path):
    scores = PairData(PAIRS, MATCHES.targets, activation="linear")
    with pytest.raises(ValueError, match="Expected pairs for the activation 'sigmoid'.* Received: 'linear' and None"):
        fit_pair_scorer(make(), scores, path=tmp_path / "a.keras")
    recipe = dataclasses.replace(RECIPE, patience=2)
    with pytest.raises(ValueError, match="validation data for patience"):
        fit(tmp_path / "a.keras", recipe, validation=None)
    with pytest.raises(ValueError, match="validation of different targets.* Received: 0 alone"):
        fit(tmp_path / "a.keras", validation=PairData(PAIRS[:2], [0, 0]))
    with pytest.raises(ValueError, match="Expected pairs of different targets; a ranking .* Received: 1 alone"):
        fit_pair_scorer(make(), PairData(PAIRS[:2], [1, 1]), path=tmp_path / "a.keras")
    with pytest.raises(ValueError, match="at least 3. Received: max_length=2"):
        fit(tmp_path / "a.keras", dataclasses.replace(RECIPE, max_length=2))
    assert not list(tmp_path.iterdir())
