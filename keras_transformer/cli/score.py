"""keras-transformer score: what a cross-encoder says of pairs of texts."""

import argparse
import contextlib
import sys
from typing import Any

from keras_transformer import arguments
from keras_transformer.atomic import replacing
from keras_transformer.cli import embedded_lines, models, outputs, standard_streams
from keras_transformer.cli.once import Once
from keras_transformer.cli.progress import Progress
from keras_transformer.cli.reported import results_of
from keras_transformer.pipelines.model_paths import PAIR_SCORER, find_model


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "score",
        help="score pairs of texts",
        description="Writes the score of each pair, a line of two texts with a tab between them, in FILEs or standard "
        "input: lines of score, text, text; of a scorer of classes the likeliest class in the score's place. A student "
        "learns from them by `train embedder` (augmented SBERT).",
    )
    parser.set_defaults(check=check, run=run)
    parser.add_argument("files", nargs="*", metavar="FILE", help="plain or .gz")
    parser.add_argument("--model", action=Once, required=True, help=models.PAIR_SCORER_HELP)
    parser.add_argument("--output", action=Once, metavar="FILE", help="written whole or not at all (standard output)")
    parser.add_argument("--overwrite", action="store_true", help="replace an --output that exists")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--similarity",
        action="store_true",
        help="scores from 0 to 5, as `train embedder --similarity` reads them",
    )
    form.add_argument(
        "--candidates",
        action="store_true",
        help="lines are of a query and as many candidates each, as `mine` writes them; the scores, before the sigmoid, "
        "of all candidates come first, as `train embedder --candidates` reads them",
    )
    parser.add_argument("--batch-size", type=int, default=32, help="pairs scored at once (%(default)s)")


def check(args: argparse.Namespace) -> None:
    from keras_transformer.data.lines import as_paths

    arguments.positive_integer("--batch-size", args.batch_size)
    files = as_paths(args.files) if args.files else [outputs.STANDARD_INPUT]
    if not args.files:
        standard_streams.check_input("FILEs")
    if args.output is None:
        standard_streams.check_output()
    files.append(find_model(args.model, PAIR_SCORER))
    written = outputs.STANDARD_OUTPUT if args.output is None else args.output
    outputs.check_outputs([("--output", written)], files, args.overwrite)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.pipelines import load_pair_scorer

    scorer = load_pair_scorer(models.newest(args.model, PAIR_SCORER))
    if scorer.num_labels > 1 and (args.similarity or args.candidates or scorer.labels is None):
        raise ValueError(f"Expected a scorer with one score of a pair. Received: {args.model}, of classes")
    with contextlib.ExitStack() as stack:
        file = sys.stdout.buffer
        if args.output:
            file = stack.enter_context(open(stack.enter_context(replacing(args.output)), "wb"))
        for line in _scored_lines(args, scorer):
            file.write(f"{line}\n".encode())
        file.flush()


def _scored_lines(args, scorer):
    """Each line behind its scores; says which pairs are truncated."""
    import tensorflow as tf

    from keras_transformer.pipelines.streaming import Limit

    def scored(lines):
        rows = [line.split("\t") for line in lines]
        return ["\t".join([*scores, *row]) for scores, row in zip(_scored(args, scorer, rows), rows)]

    def longest(lines):
        rows = [line.split("\t") for line in lines]
        pairs = [(query, text) for query, *texts in rows for text in texts]
        return tf.reduce_max(tf.reshape(scorer.num_tokens(tuple(map(list, zip(*pairs)))), [len(rows), -1]), axis=1)

    limit = Limit("max_length", scorer.max_length, "scored")
    return results_of(_lines(args), args.batch_size, Progress(False, None), scored, longest, limit)


def _lines(args):
    """(place, text) of each line that has as many columns as it should."""
    expected = "a query and as many candidates as in the first line" if args.candidates else "two texts"
    count = None if args.candidates else 2
    for place, line in embedded_lines.lines(args.files):
        row = line.split("\t")
        if len(row) < 2 or len(row) != (count or len(row)):
            raise ValueError(f"{place}: expected {expected}, separated by tabs. Received: {len(row)} columns")
        count = len(row)
        yield place, line


def _scored(args, scorer, rows):
    """What stands before each row: a list of `str`."""
    pairs = [(query, text) for query, *texts in rows for text in texts]
    if scorer.num_labels > 1:
        return [[label] for label in scorer.classify(pairs, args.batch_size)]
    if args.candidates:
        scores = scorer.logits(pairs, args.batch_size).reshape(len(rows), -1)
        return [[f"{score:.6g}" for score in of_row] for of_row in scores]
    scores = scorer.score(pairs, args.batch_size)
    if args.similarity:
        if scores.min() < 0 or scores.max() > 1:
            raise ValueError(f"Expected a scorer from 0 to 1 with --similarity. Received: {args.model}, of any scores")
        scores = 5 * scores
    return [[f"{score:.6g}"] for score in scores]
