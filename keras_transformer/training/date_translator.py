"""A small translator of dates, which trains in minutes: what `keras-transformer demo` shows."""

import os
from collections.abc import Sequence

import keras

from keras_transformer.data import ParallelText
from keras_transformer.models import Transformer
from keras_transformer.pipelines import Translator
from keras_transformer.text import SubwordTokenizer
from keras_transformer.training.fit_translator import fit_translator
from keras_transformer.training.recipes import TranslationRecipe
from keras_transformer.types import PathLike


def fit_date_translator(
    training: Sequence[tuple[str, str]],
    validation: Sequence[tuple[str, str]],
    folder: PathLike,
    epochs: int = 4,
    seed: int = 1,
) -> Translator:
    """Trains a Transformer of 2 + 2 layers on pairs of short texts.

    Args:
        training: (source, target) pairs, as `keras_transformer.data.dates.date_pairs` gives them.
        validation: other pairs, which choose the best epoch.
        folder: for the text files of the pairs, translator.keras, and what is needed to resume a training.
        epochs: at most.
        seed: of the initial weights and the order of the pairs.

    Returns:
        The translator of the best epoch, as saved and loaded again.
    """
    keras.utils.set_random_seed(seed)
    files = _write_pairs(folder, "train", training)
    validation_files = _write_pairs(folder, "validation", validation)
    tokenizer = SubwordTokenizer.from_files(files, vocabulary_size=400, split_digits=True)
    transformer = Transformer.from_preset("tiny", tokenizer.vocabulary_size, num_layers=2, dropout=0.1)
    path = os.path.join(folder, "translator.keras")
    fit_translator(
        Translator(transformer, tokenizer),
        ParallelText(*files, tokenizer, max_length=64),
        ParallelText(*validation_files, tokenizer, max_length=64),
        path=path,
        recipe=TranslationRecipe(epochs=epochs, warmup_steps=300),
        seed=seed,
    )
    return keras.models.load_model(path)


def exact_match(translator: Translator, pairs: Sequence[tuple[str, str]]) -> float:
    """The fraction of (source, target) pairs whose translation equals the target."""
    sources, targets = zip(*pairs)
    translations = translator.translate(sources, batch_size=250)
    return sum(t == target for t, target in zip(translations, targets)) / len(pairs)


def _write_pairs(folder, name, pairs):
    """Writes the files NAME.source and NAME.target; gives their paths."""
    os.makedirs(folder, exist_ok=True)
    paths = []
    for side, lines in zip(("source", "target"), zip(*pairs)):
        paths.append(os.path.join(folder, f"{name}.{side}"))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    return paths
