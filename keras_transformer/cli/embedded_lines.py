"""The vectors of the lines of files, or of standard input, for commands that write them."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from keras_transformer import arguments
from keras_transformer.cli import models, outputs, standard_streams
from keras_transformer.cli.once import Once
from keras_transformer.cli.progress import Progress
from keras_transformer.cli.reported import results_of
from keras_transformer.pipelines.model_paths import EMBEDDER, find_model

if TYPE_CHECKING:  # not before the arguments are checked
    import numpy as np


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds FILEs, --model, --batch-size and --progress."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="plain or .gz, a text a line")
    parser.add_argument(
        "--model",
        action=Once,
        help=f"{models.EMBEDDER_HELP}; in a checkout, by default, the newest in saved_models/{models.SHIPPED_EMBEDDER}",
    )
    parser.add_argument("--batch-size", type=int, default=32, help="texts embedded at once (%(default)s)")
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="count sentences on standard error, as by default on a terminal",
    )


def check_arguments(args: argparse.Namespace) -> list[Any]:
    """Checks them, sets `args.model` where it was not given, and returns the paths that are read."""
    from keras_transformer.data.lines import as_paths

    files = as_paths(args.files) if args.files else [outputs.STANDARD_INPUT]
    if not args.files:
        standard_streams.check_input("FILEs")
    arguments.positive_integer("--batch-size", args.batch_size)
    args.model = args.model or models.shipped_model(models.SHIPPED_EMBEDDER)
    return [*files, find_model(args.model, EMBEDDER)]


def embedded_lines(
    embedder: Any, lines: Iterable[tuple[str, str]], batch_size: int, progress: Progress
) -> Iterator[tuple[str, "np.ndarray"]]:
    """Yields (text, vector) of each line; says which texts are truncated.

    Args:
        embedder: what `load_embedder` opened.
        lines: the (place, text) of each, as of `lines`.
        batch_size: texts that are embedded at once.
        progress: a `Progress`.
    """
    from keras_transformer.pipelines.streaming import Limit

    return results_of(
        lines,
        batch_size,
        progress,
        lambda texts: zip(texts, embedder.embed(texts, batch_size)),
        embedder.num_tokens,
        Limit("max_length", embedder.max_length, "embedded"),
    )


def number_of_lines(files: Sequence[str]) -> int | None:
    """How many lines files have; `None` of standard input."""
    from keras_transformer.data.lines import read_lines

    return sum(1 for _ in read_lines(files)) if files else None


def lines(files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields (place, text) of each line of files, of standard input if there are none."""
    from keras_transformer.data.lines import decoded_lines, read_lines

    for name in files or ["standard input"]:
        lines = read_lines(name) if files else decoded_lines(sys.stdin.buffer, name)
        for number, line in enumerate(lines, start=1):
            yield f"{name}, line {number}", line
