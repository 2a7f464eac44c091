import csv
import dataclasses
import shutil

import keras
import numpy as np
import pytest
import sacrebleu
import tensorflow as tf

from keras_transformer import Translator
from keras_transformer.data import ParallelText
from keras_transformer.decoding import BeamSearch
from keras_transformer.models import Transformer
from keras_transformer.text import ByteTokenizer, SubwordTokenizer
from keras_transformer.training import RECIPES, TranslationRecipe, TranslationValidation, fit_translator
from tests import made_data

RECIPE = TranslationRecipe(epochs=2, tokens_per_batch=256, max_length=64, warmup_steps=10)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    for name, lines in zip("st", made_data.pairs(40)):
        (folder / name).write_text("\n".join(lines) + "\n")
    return ParallelText(folder / "s", folder / "t", ByteTokenizer(), max_length=64)


def translator(search=None):
    keras.utils.set_random_seed(4)
    return Translator(Transformer(260, 1, 12, 19, 3), ByteTokenizer(), search=search)


@pytest.fixture(scope="module")
def one_epoch(pairs, tmp_path_factory):
    """The folder of a training that ended after its only epoch."""
    folder = tmp_path_factory.mktemp("one_epoch")
    recipe = dataclasses.replace(RECIPE, epochs=1)
    fit_translator(translator(), pairs, pairs, path=folder / "translator.keras", recipe=recipe, verbose=0)
    return folder


def test_an_earlier_file_is_no_success(pairs, tmp_path):
    """Without a finite validation loss nothing is saved, and that is said even where a file stood before."""
    broken = translator()
    table = broken.transformer.source_embedding.embedding.embeddings
    table.assign(np.full(table.shape, np.nan))
    path = tmp_path / "translator.keras"
    path.write_bytes(b"earlier")
    with pytest.raises(ValueError, match="Expected a finite loss. Received: val_loss="):
        fit_translator(broken, pairs, pairs, path=path, recipe=RECIPE, verbose=0)
    assert path.read_bytes() == b"earlier"


def test_the_best_round_is_saved_with_all_figures(pairs, tmp_path):
    trained = translator(BeamSearch(2))
    recipe = dataclasses.replace(RECIPE, monitor="bleu", ema=0.5)
    path = tmp_path / "out" / "translator.keras"
    history = fit_translator(
        trained, pairs, pairs, path=path, recipe=recipe, tensorboard=str(tmp_path / "board"), verbose=0
    )
    with open(tmp_path / "out" / "history.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_bleu"]) for row in rows] == [logs["val_bleu"] for logs in history]
    saved = keras.models.load_model(path)
    assert isinstance(saved.search, BeamSearch)
    best = max(history, key=lambda logs: logs["val_bleu"])
    logs = TranslationValidation(_compiled(saved), pairs, 256, bleu=True)()
    assert logs["val_loss"] == pytest.approx(best["val_loss"], rel=1e-5)  # of the moving average
    (events,) = (tmp_path / "board").iterdir()
    written = {
        (event.step, value.tag)
        for record in tf.data.TFRecordDataset(str(events))
        for event in [tf.compat.v1.Event.FromString(record.numpy())]
        for value in event.summary.value
    }
    assert written == {(logs["step"], name) for logs in history for name in logs if name != "step"}


def _compiled(translator):
    from keras_transformer.training import LabelSmoothedCrossEntropy

    translator.transformer.compile("sgd", LabelSmoothedCrossEntropy(0.1))
    return translator


def test_validation_figures(pairs):
    model = _compiled(translator())
    logs = TranslationValidation(model, pairs, 256, bleu=True, bleu_tokenize="char")()
    ((inputs, labels),) = pairs.batches(64 * 64, shuffle=False).batch(1).take(1).unbatch()
    total = hits = count = 0.0
    for inputs, labels in pairs.batches(256, shuffle=False):
        probabilities = tf.nn.softmax(model.transformer(inputs)).numpy()
        for row, label_row in zip(probabilities, labels.numpy()):
            for p, label in zip(row, label_row):
                if label:
                    total, hits, count = total - np.log(p[label]), hits + (p.argmax() == label), count + 1
    assert logs["val_perplexity"] == pytest.approx(np.exp(total / count), rel=1e-4)
    assert logs["val_token_accuracy"] == pytest.approx(hits / count, abs=1e-6)
    sources, targets = made_data.pairs(40)
    bleu = sacrebleu.corpus_bleu(list(model.translate(sources)), [targets], tokenize="char", force=True)
    assert logs["val_bleu"] == pytest.approx(bleu.score, abs=1e-3)


def test_goes_on_where_it_was_until_its_translator_is_gone(pairs, one_epoch, tmp_path):
    path = shutil.copytree(one_epoch, tmp_path / "copy") / "translator.keras"
    assert len(fit_translator(translator(), pairs, pairs, path=path, recipe=RECIPE, verbose=0)) == 2
    path.unlink()
    with pytest.raises(FileNotFoundError, match="is gone"):
        fit_translator(translator(), pairs, pairs, path=path, recipe=RECIPE, verbose=0)


def test_another_recipe_is_refused(pairs, one_epoch):
    path, other = one_epoch / "translator.keras", dataclasses.replace(RECIPE, label_smoothing=0.2)
    with pytest.raises(ValueError, match=r"same arguments .* Received: label_smoothing=0.2 \(not 0.1\)$"):
        fit_translator(translator(), pairs, pairs, path=path, recipe=other, verbose=0)
    with pytest.raises(ValueError, match=r'Received: origin="another" \(not none\)$'):
        fit_translator(translator(), pairs, pairs, path=path, recipe=RECIPE, verbose=0, origin="another")


def test_other_pairs_are_refused(pairs, one_epoch, write_lines):
    sources, targets = made_data.pairs(40)
    other = ParallelText(
        write_lines("s2", sources), write_lines("t2", [*targets[:-1], targets[0]]), ByteTokenizer(), max_length=64
    )
    for data, name in (((other, pairs), "training"), ((pairs, other), "validation")):
        with pytest.raises(ValueError, match=f"Received: other content of {name} target$"):
            fit_translator(translator(), *data, path=one_epoch / "translator.keras", recipe=RECIPE, verbose=0)


def test_an_unknown_tokenizer_of_bleu_is_named_at_once(pairs, tmp_path):
    recipe = dataclasses.replace(RECIPE, monitor="bleu", bleu_tokenize="foo")
    with pytest.raises(ValueError, match="foo"):
        fit_translator(translator(), pairs, pairs, path=tmp_path / "x.keras", recipe=recipe)
    assert not list(tmp_path.glob("x*"))


def test_bleu_needs_validation_pairs(pairs, tmp_path):
    recipe = dataclasses.replace(RECIPE, monitor="bleu")
    with pytest.raises(ValueError, match="validation pairs for monitor='bleu'"):
        fit_translator(translator(), pairs, path=tmp_path / "x.keras", recipe=recipe)
    assert not list(tmp_path.glob("x*"))


@pytest.mark.parametrize("name", ["wmt14-base", "wmt14-big"])
def test_the_papers_recipes_run(name, write_lines, tmp_path):
    """A few steps of them on made data, the model and the batches shrunk; all else as it is."""
    recipe = dataclasses.replace(
        RECIPES[name], vocabulary_size=70, max_length=64, tokens_per_batch=256, steps=5, evaluation_steps=2
    )
    sources, targets = made_data.pairs(100)
    files = write_lines("s", sources), write_lines("t", targets)
    tokenizer = SubwordTokenizer.from_files(files, recipe.vocabulary_size, model_type=recipe.subwords)
    pairs = ParallelText(*files, tokenizer, max_length=recipe.max_length)
    model = Transformer.from_preset(
        recipe.preset, tokenizer.vocabulary_size, num_layers=1, hidden_dim=32, intermediate_dim=48, num_heads=4
    )
    path = tmp_path / "translator.keras"
    history = fit_translator(Translator(model, tokenizer), pairs, pairs, path=path, recipe=recipe, verbose=0)
    assert [logs["step"] for logs in history] == [2, 4, 5]
    assert history[-1]["val_loss"] < history[0]["val_loss"]
    assert len(list(tmp_path.glob("training-state-weights-*"))) == min(3, recipe.average_last)
    assert path.exists()
