"""The options of the trainings of sentence encoders, by themselves and within a dual encoder."""

import argparse
from typing import Any

from keras_transformer.cli import training_options
from keras_transformer.cli.once import Once
from keras_transformer.training.embedding_recipe import EmbeddingRecipe

# The recipe's fields that have an option of their own: type, help.
_FIELDS = {
    "encoder": (str, "averaging: embeddings of words and of pairs of words, averaged"),
    "preset": (str, "the size of the transformer"),
    "vocabulary_size": (int, "of subwords, or of an averaging encoder's words"),
    "subwords": (str, "how the vocabulary is trained; without it an averaging encoder takes words"),
    "max_length": (int, "longer texts are truncated to so many tokens"),
    "micro_batch_tokens": (int, "a batch of more, padding included, is split into micro-batches of a device"),
    **training_options.OPTIMIZATION,
}
# Constructor arguments of the encoder: type, help.
_MODEL = {
    "num_layers": (int, "blocks, or hidden layers of an averaging encoder"),
    **training_options.MODEL,
    "output_dim": (int, "width of the vectors (default: 512)"),
    "num_bigram_buckets": (int, "of an averaging encoder: how many embeddings pairs of words share"),
    "word_dropout": (float, "of an averaging encoder: the fraction of words left out in training"),
    "pooling": (str, "sqrtn, mean, max, first or sum"),
}
_FLAGS = {
    **training_options.NORM_FIRST,
    "token_weights": "weigh tokens by their frequency at first, then as learned, before they are pooled",
}
# What an encoder that is trained already has: fields of the recipe, and the arguments of the model.
_SHAPE = ("encoder", "preset", "vocabulary_size", "subwords", "lower_case", "byte_fallback")


def add_files(parser: argparse.ArgumentParser, validation: str) -> Any:
    """Adds the options of what is read beside the tasks, and of what is written; returns their group."""
    files = parser.add_argument_group("files")
    files.add_argument("--validation", nargs="+", action="extend", metavar="FILE", help=validation)
    files.add_argument("--out", action=Once, required=True, metavar="DIR")
    files.add_argument("--tensorboard", action=Once, metavar="DIR", help="write event files for TensorBoard")
    return files


def add_encoder(parser: argparse.ArgumentParser, **helps: str) -> None:
    """Adds the options of the recipe, the model and the machine.

    Args:
        parser: of the command.
        **helps: texts that say of constructor arguments what they are here.
    """
    choices = {"encoder": ["transformer", "averaging"]}
    recipe = training_options.add_recipe(parser, _FIELDS, EmbeddingRecipe(), choices)
    recipe.add_argument(
        "--keep-case",
        dest="lower_case",
        action="store_false",
        default=None,
        help="subwords of capitals and small letters",
    )
    training_options.add_byte_fallback(recipe)
    model = {name: (kind, helps.get(name, text)) for name, (kind, text) in _MODEL.items()}
    training_options.add_model(parser, model, _FLAGS)
    training_options.add_machine(parser)


def recipe(args: argparse.Namespace) -> EmbeddingRecipe:
    """The recipe that the options say."""
    fields = (*_FIELDS, "lower_case", "byte_fallback")
    return training_options.changed_recipe(EmbeddingRecipe(), args, fields, (*_MODEL, *_FLAGS))


def check_encoder(args: argparse.Namespace, recipe: EmbeddingRecipe) -> None:
    """`ValueError` for options that the encoder has no use for."""
    of_words = {"lower_case": "--keep-case"} if recipe.subwords is None else {}
    options = {"preset": "--preset", **of_words}
    foreign = [option for name, option in options.items() if getattr(args, name) is not None]
    if recipe.encoder == "averaging" and foreign:
        raise ValueError(
            f"Expected no {' and no '.join(options.values())} with --encoder averaging, which has no presets and takes "
            f"words unless --subwords are asked for. Received: {', '.join(foreign)}"
        )
    if recipe.subwords == "bpe" and recipe.model.get("token_weights"):
        raise ValueError("Expected --subwords unigram, numbered by frequency, for --token-weights. Received: bpe")


def given_shape(args: argparse.Namespace) -> list[str]:
    """Those of the options that say what an encoder and its vocabulary are, which were given."""
    given = [name for name in (*_SHAPE, *_MODEL, *_FLAGS) if getattr(args, name) is not None]
    return ["--keep-case" if name == "lower_case" else training_options.option(name) for name in given]
