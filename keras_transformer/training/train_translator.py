"""From text files to a trained translator in a folder."""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from keras_transformer.training import fingerprints
from keras_transformer.training.fit_translator import fit_translator
from keras_transformer.training.names import CHECKPOINT, TRANSLATOR, VOCABULARY
from keras_transformer.training.recipes import TranslationRecipe
from keras_transformer.training.saved_training import say_nothing, saying_what_was_written
from keras_transformer.types import DType, PathLike

if TYPE_CHECKING:
    import tensorflow as tf

    from keras_transformer.pipelines import Translator

Paths = PathLike | list[PathLike]


def train_translator(
    folder: PathLike,
    source: Paths,
    target: Paths | None = None,
    validation_source: Paths | None = None,
    validation_target: Paths | None = None,
    *,
    recipe: TranslationRecipe | None = None,
    start_from: "Translator | None" = None,
    byte_level: bool = False,
    dtype: DType = "float32",
    strategy: "tf.distribute.Strategy | None" = None,
    say: Callable[..., None] = print,
    **options: Any,
) -> list[dict[str, float]]:
    """Trains a vocabulary and a translator from text files by a recipe, and writes both to a folder.

    What `keras-transformer train translator` does. Beside `folder`/translator.keras stand history.csv and a
    checkpoint: called again with the same arguments after a kill, the training resumes.

    Args:
        folder: for all files; made if it is missing.
        source: text files, plain or `.gz`; without `target`, tab-separated files of pairs.
        target: text files, line n of which translates line n of `source`.
        validation_source: as `source`, for validation, or `None`.
        validation_target: as `target`, for validation.
        recipe: a `TranslationRecipe`; by default `RECIPES["default"]`.
        start_from: a translator whose weights, vocabulary and shape the training begins with. Of `recipe.model`, a
            larger `intermediate_dim` adds hidden units, at first without effect.
        byte_level: bytes as tokens instead of a trained vocabulary.
        dtype: dtype policy of the model.
        strategy: a `tf.distribute.Strategy`, as `make_strategy` gives; by default the current one.
        say: prints what is going on; by default `print`, on the first worker.
        **options: `minutes`, `jit_compile`, `seed`, `checkpoint_minutes` and `tensorboard` of `fit_translator`.

    Returns:
        The history: a dictionary of figures for each evaluation.

    Raises:
        ValueError: for arguments that contradict each other; for bad files, with file and line; if no pair is left
            within `max_length`; for a `start_from` that is no single Transformer with one vocabulary; and what
            `fit_translator` raises.
    """
    import tensorflow as tf

    from keras_transformer.data import count_pairs

    if validation_target is not None and validation_source is None:
        raise ValueError(f"Expected a validation_source with validation_target={validation_target!r}. Received: none")
    if byte_level and start_from:
        raise ValueError("Expected no byte_level beside start_from, whose translator has its tokenizer. Received: both")
    recipe = recipe or TranslationRecipe()
    strategy = strategy or tf.distribute.get_strategy()
    is_chief = strategy.extended.should_checkpoint
    say = say if is_chief else say_nothing
    files = [(source, target)] + ([] if validation_source is None else [(validation_source, validation_target)])
    for pair in files:  # all of them are checked before a vocabulary is trained
        count_pairs(*pair)
    if start_from:
        _check_start(start_from)
        tokenizer = start_from.tokenizer
    else:
        tokenizer = _tokenizer(folder, source, target, recipe, byte_level, say)
    training, *validation = _pairs(files, recipe, tokenizer, say)
    if is_chief and not (byte_level or start_from):  # every worker has trained the same
        _write_vocabulary(folder, tokenizer)
    with strategy.scope():
        translator = _translator(recipe, tokenizer, start_from, dtype)
    count = translator.transformer.count_params()
    say(f"{'Given' if start_from else recipe.preset} Transformer with {count:,} parameters", flush=True)
    path = os.path.join(folder, TRANSLATOR)
    with saying_what_was_written(path, say):
        return fit_translator(
            translator,
            training,
            *validation,
            path=path,
            recipe=recipe,
            strategy=strategy,
            origin=_weights_fingerprint(start_from) if start_from else None,
            **options,
        )


def _check_start(translator):
    from keras_transformer.models import Transformer

    if not isinstance(translator.transformer, Transformer):
        name = type(translator.transformer).__name__
        raise ValueError(f"Expected a translator with a Transformer to start from. Received: one with {name}")
    if translator.target_tokenizer:
        raise ValueError("Expected a translator with one vocabulary for both languages. Received: one with two")


def _weights_fingerprint(translator):
    return fingerprints.fingerprint(*(weight.numpy() for weight in translator.transformer.weights))


def _tokenizer(folder, source, target, recipe, byte_level, say):
    """Bytes, or the vocabulary of the training that is resumed, or one that is trained now."""
    from keras_transformer.data.lines import as_paths
    from keras_transformer.text import ByteTokenizer, SubwordTokenizer

    if byte_level:
        return ByteTokenizer()
    path = os.path.join(folder, VOCABULARY)
    if os.path.exists(path) and os.path.exists(os.path.join(folder, CHECKPOINT)):
        return SubwordTokenizer.from_model_file(path)
    files = as_paths(source) + ([] if target is None else as_paths(target))
    say(f"Vocabulary from {' '.join(files)}", flush=True)
    return SubwordTokenizer.from_texts(
        _texts(source, target),
        recipe.vocabulary_size,
        model_type=recipe.subwords,
        byte_fallback=recipe.byte_fallback,
    )


def _texts(source, target) -> Iterable[str]:
    """All sources, then all targets."""
    from keras_transformer.data import read_lines, read_rows
    from keras_transformer.data.lines import as_paths

    if target is not None:
        return read_lines(as_paths(source) + as_paths(target))
    return (row[side] for side in (0, 1) for path in as_paths(source) for row in read_rows(path, ("source", "target")))


def _pairs(files, recipe, tokenizer, say):
    """A `ParallelText` of each of `files`, of which the first is for training."""
    from keras_transformer.data import ParallelText

    training, *others = (ParallelText(*pair, tokenizer, max_length=recipe.max_length) for pair in files)
    left_out = training.count_skipped()
    if left_out == training.num_pairs:
        raise ValueError("Expected training pairs within max_length. Received: all are left out")
    say(
        f"{training.num_pairs:,} pairs, {left_out:,} of them left out (a side is empty "
        f"or has more than {recipe.max_length} tokens), {tokenizer.vocabulary_size:,} token ids"
    )
    return [training, *others]


def _write_vocabulary(folder, tokenizer):
    from keras_transformer.atomic import replacing

    with replacing(os.path.join(folder, VOCABULARY)) as unfinished, open(unfinished, "wb") as file:
        file.write(tokenizer.model)


def _translator(recipe, tokenizer, start, dtype):
    """A new translator, or one that begins as `start`."""
    from keras_transformer.decoding import BeamSearch, GreedySearch
    from keras_transformer.models import Transformer, warm_start
    from keras_transformer.pipelines import Translator

    if start:
        transformer = Transformer.from_config({**start.transformer.get_config(), **recipe.model, "dtype": dtype})
        warm_start(transformer, start.transformer)
    else:
        transformer = Transformer.from_preset(recipe.preset, tokenizer.vocabulary_size, dtype=dtype, **recipe.model)
    search = GreedySearch() if recipe.beam_size == 1 else BeamSearch(recipe.beam_size, recipe.length_penalty)
    return Translator(transformer, tokenizer, search=search, **(start.length_limits if start else {}))
