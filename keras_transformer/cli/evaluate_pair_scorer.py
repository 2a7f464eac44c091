"""keras-transformer evaluate pair-scorer: how good the scores of pairs of texts are."""

import argparse
import dataclasses
from typing import Any

from keras_transformer import arguments
from keras_transformer.cli import models, pair_options
from keras_transformer.cli.figures import write_json
from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_outputs
from keras_transformer.pipelines.model_paths import PAIR_SCORER, find_model

_KINDS = {"matches": "matches", "similarity": "similarity", "classes": "classes", "scores": "similarity"}


def add_parser(kinds: Any) -> None:
    parser = kinds.add_parser(
        "pair-scorer",
        help="average precision, correlation or accuracy of the scores of pairs",
        description="Scores the pairs of each file, and compares with what stands there: average precision and "
        "accuracy of --matches, rank correlation and Pearson's of --similarity and --scores, accuracy and mean F1 of "
        "--classes.",
    )
    parser.set_defaults(check=check, run=run)
    parser.add_argument("--model", action=Once, required=True, help=models.PAIR_SCORER_HELP)
    pair_options.add_kinds(parser, list(_KINDS))
    parser.add_argument("--batch-size", type=int, default=32, help="pairs scored at once (%(default)s)")
    parser.add_argument("--json", action=Once, metavar="FILE", help="write the figures to a file")
    parser.add_argument("--overwrite", action="store_true", help="replace a --json that exists")


def check(args: argparse.Namespace) -> None:
    from keras_transformer.data.lines import as_paths

    arguments.positive_integer("--batch-size", args.batch_size)
    files = [*as_paths(pair_options.given_kind(args)[1]), find_model(args.model, PAIR_SCORER)]
    check_outputs([("--json", args.json)], files, args.overwrite)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.evaluation import Measured, MeasuredTask, score_pairs
    from keras_transformer.pipelines import load_pair_scorer

    kind, files = pair_options.given_kind(args)
    scorer = load_pair_scorer(models.newest(args.model, PAIR_SCORER))
    if (kind == "classes" and scorer.labels is None) or (kind != "classes" and scorer.num_labels > 1):
        raise ValueError(f"Expected --classes of a scorer with labels, alone. Received: --{kind} and {scorer.labels}")
    print(args.model, flush=True)
    figures = []
    for path in files:
        data = pair_options.read_pairs(kind, [path], scorer.labels)
        scores = score_pairs(scorer.score(data.pairs, args.batch_size), data.targets, _KINDS[kind])
        measured = [Measured.of(estimate) for estimate in scores.estimates]
        print(MeasuredTask("Pairs", f"{scores.num_pairs:,}", measured, files=[path]).text, flush=True)
        figures.append({"file": path, **dataclasses.asdict(scores)})
    if args.json:
        write_json(args.json, {"model": args.model, kind: figures})
