import dataclasses

import keras
import pytest

from keras_transformer import Translator
from keras_transformer.models import Transformer
from keras_transformer.text import ByteTokenizer
from keras_transformer.training import TranslationRecipe, train_translator
from tests import made_data

MODEL = {"num_layers": 1, "hidden_dim": 12, "intermediate_dim": 19, "num_heads": 3}
RECIPE = TranslationRecipe(epochs=1, warmup_steps=1, max_length=64, vocabulary_size=60, model=MODEL)


@pytest.fixture
def files(write_lines):
    return [write_lines(name, lines) for name, lines in zip("st", made_data.pairs(40))]


def test_trains_from_files_and_resumes(files, tmp_path):
    said = []
    recipe = dataclasses.replace(RECIPE, vocabulary_size=320, byte_fallback=True)
    for count in (1, 2):
        history = train_translator(
            tmp_path / "out", *files, recipe=recipe, verbose=0, say=lambda text, **_: said.append(text)
        )
        assert len(history) == 1 and sum(text.startswith("Vocabulary from ") for text in said) == 1, count
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "history.csv", "training-state", "translator.keras", "vocabulary.model",
    ]  # fmt: skip
    tokenizer = keras.models.load_model(tmp_path / "out" / "translator.keras").tokenizer
    assert tokenizer.detokenize(tokenizer(["漢"])).numpy()[0].decode() == "漢"  # as its bytes
    assert said[-1].endswith("translator.keras stays as it is")


def test_starts_only_from_a_single_transformer_with_one_vocabulary(files, tmp_path):
    two = Translator(Transformer(260, **MODEL, target_vocabulary_size=260), ByteTokenizer(), ByteTokenizer())
    with pytest.raises(ValueError, match="one vocabulary for both languages. Received: one with two"):
        train_translator(tmp_path / "out", *files, recipe=RECIPE, start_from=two, say=lambda *_, **__: None)
    assert not (tmp_path / "out").exists()


def test_arguments_that_contradict_each_other(files, tmp_path):
    with pytest.raises(ValueError, match="Expected a validation_source with validation_target='t'"):
        train_translator(tmp_path / "out", *files, validation_target="t", recipe=RECIPE)
    start = Translator(Transformer(ByteTokenizer().vocabulary_size, **MODEL), ByteTokenizer())
    with pytest.raises(ValueError, match="Expected no byte_level beside start_from"):
        train_translator(tmp_path / "out", *files, recipe=RECIPE, start_from=start, byte_level=True)
    assert not (tmp_path / "out").exists()
