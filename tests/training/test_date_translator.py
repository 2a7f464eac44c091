import functools

import pytest

from keras_transformer import Translator
from keras_transformer.data.dates import date_pairs
from keras_transformer.models import Transformer
from keras_transformer.training import date_translator
from keras_transformer.training.date_translator import exact_match, fit_date_translator


def test_trains_on_files_of_the_pairs(tmp_path, monkeypatch):
    """What it learns from so little, with so few layers, is not looked at."""
    small = functools.partial(Transformer, num_layers=1, hidden_dim=12, intermediate_dim=19, num_heads=3)
    asked = []

    class Small:
        @staticmethod
        def from_preset(preset, vocabulary_size, **options):
            asked.append((preset, options))
            return small(vocabulary_size)

    monkeypatch.setattr(date_translator, "Transformer", Small)
    training, held_out = date_pairs(300, 1)
    trained = fit_date_translator(training, held_out[:6], tmp_path, epochs=1, seed=1)
    assert asked == [("tiny", {"num_layers": 2, "dropout": 0.1})]
    assert isinstance(trained, Translator) and trained.transformer.get_config()["hidden_dim"] == 12
    for side, number in (("source", 0), ("target", 1)):
        lines = (tmp_path / f"train.{side}").read_text(encoding="utf-8").splitlines()
        assert lines == [pair[number] for pair in training]
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 2
    assert (tmp_path / "translator.keras").exists()


def test_exact_match():
    class Shouting:
        def translate(self, texts, batch_size):
            return (text.upper() for text in texts)

    pairs = [("a", "A"), ("b", "b"), ("c", "C"), ("d", "d.")]
    assert exact_match(Shouting(), pairs) == pytest.approx(0.5)
