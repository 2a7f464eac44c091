"""keras-transformer attention: draws the cross-attention of translations."""

import argparse
import os
from typing import Any

from keras_transformer.cli import models, translators
from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_outputs
from keras_transformer.cli.progress import Progress
from keras_transformer.cli.reported import results_of
from keras_transformer.cli.texts import check_texts
from keras_transformer.evaluation import pictures
from keras_transformer.pipelines.model_paths import is_saved_model


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "attention",
        help="draw the attention of translations",
        description="Translates each TEXT and draws the cross-attention as a heat map: a row for each token of the "
        "translation, a column for each token of the text.",
    )
    parser.set_defaults(check=check, run=run)
    parser.add_argument("texts", nargs="+", metavar="TEXT")
    parser.add_argument(
        "--model",
        action=Once,
        help=f"{models.TRANSLATOR_HELP}; in a checkout, by default, the newest in "
        f"saved_models/{models.SHIPPED_TRANSLATOR}",
    )
    parser.add_argument(
        "--output",
        action=Once,
        default="attention.png",
        metavar="FILE",
        help="picture to write, .png, .svg or .pdf (%(default)s); of several TEXTs, FILE-1.png, FILE-2.png and so on",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an --output that exists")
    parser.add_argument(
        "--layer",
        type=_number_or_all,
        metavar="N",
        help='which layer, from 1, or "all" for a row of panels each, where MODEL is a .keras file; by default the '
        "sharpest layer, which has the lowest mean entropy of the weights drawn (a SavedModel has the last layer only)",
    )
    parser.add_argument(
        "--head",
        type=_number_or_all,
        metavar="N",
        help='which head, from 1, or "all" for a panel each, where MODEL is a .keras file; by default their mean',
    )


def check(args: argparse.Namespace) -> None:
    check_texts("TEXT", args.texts)
    pictures.picture_format(args.output)
    args.model = args.model or models.shipped_model(models.SHIPPED_TRANSLATOR)
    files = translators.check_translators([args.model])
    if (named := _options(args)) and is_saved_model(files[0]):
        named = " and ".join(f"--{name}" for name in named)
        raise ValueError(
            f"Expected a .keras file for {named}: a SavedModel has the mean of the last layer's heads. "
            f"Received: {args.model}"
        )
    paths = _paths(args.output, len(args.texts))
    check_outputs([("--output", path) for path in paths], files, args.overwrite)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.evaluation import plot_attention

    pictures.check_matplotlib()
    paths = _paths(args.output, len(args.texts))
    options = _options(args)
    translator = translators.load([args.model])
    with Progress(shown=False) as progress:
        for number, found in enumerate(_attention(translator, args.texts, progress)):
            try:
                plot_attention(*found, paths[number], **options)
            except ValueError as error:  # too long, most likely
                raise ValueError(f"TEXT {number + 1}: {error}") from error
            print(f"Wrote {paths[number]}", flush=True)


def _number_or_all(text):
    if text == "all":
        return text
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f'Expected a number from 1, or "all". Received: {text}')
    return int(text)


def _options(args):
    """The given options of what is drawn."""
    options = {"layer": args.layer, "head": args.head}
    return {name: value for name, value in options.items() if value is not None}


def _paths(path, count):
    """The names of `count` pictures."""
    start, ending = os.path.splitext(path)
    return [path] if count == 1 else [f"{start}-{number}{ending}" for number in range(1, count + 1)]


def _attention(translator, texts, progress):
    """Yields what `translator.attention` gives for each text; says which texts are truncated."""
    from keras_transformer.pipelines.streaming import Limit

    return results_of(
        translators.numbered(texts, "TEXT"),
        1,
        progress,
        lambda batch: [translator.attention(text) for text in batch],
        translator.num_source_tokens,
        Limit("max_source_length", translator.max_source_length, "translated"),
    )
