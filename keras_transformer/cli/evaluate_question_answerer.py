"""keras-transformer evaluate question-answerer: how well the answers to questions are found."""

import argparse
import dataclasses
from typing import Any

from keras_transformer import arguments
from keras_transformer.cli import models
from keras_transformer.cli.figures import write_json
from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_outputs
from keras_transformer.pipelines.model_paths import QUESTION_ANSWERER, find_model


def add_parser(kinds: Any) -> None:
    parser = kinds.add_parser(
        "question-answerer",
        help="retrieval of the answers to questions",
        description="Ranks all different answers of a file for each of its questions, by the inner product of their "
        "vectors. Files are tab-separated, plain or .gz, UTF-8, without header and quoting.",
    )
    parser.set_defaults(check=check, run=run)
    parser.add_argument("--model", action=Once, required=True, help=models.QUESTION_ANSWERER_HELP)
    parser.add_argument(
        "--answers",
        nargs="+",
        action="extend",
        required=True,
        metavar="FILE",
        help="question, answer and, in all rows or in none, the answer's context; a question in several rows has "
        "several right answers; each file by itself",
    )
    parser.add_argument("--batch-size", type=int, default=32, help="texts embedded at once (%(default)s)")
    parser.add_argument("--json", action=Once, metavar="FILE", help="write the scores to a file")
    parser.add_argument("--overwrite", action="store_true", help="replace a --json that exists")


def check(args: argparse.Namespace) -> None:
    from keras_transformer.data.lines import as_paths

    arguments.positive_integer("--batch-size", args.batch_size)
    files = [*as_paths(args.answers), find_model(args.model, QUESTION_ANSWERER)]
    check_outputs([("--json", args.json)], files, args.overwrite)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.data import read_answers
    from keras_transformer.evaluation import score_answers
    from keras_transformer.evaluation.report import retrieval_task
    from keras_transformer.pipelines import load_question_answerer

    files = [(path, read_answers(path)) for path in args.answers]
    embedder = load_question_answerer(models.newest(args.model, QUESTION_ANSWERER))
    print(args.model, flush=True)
    figures = []
    for path, rows in files:
        scores = score_answers(embedder, *zip(*rows), batch_size=args.batch_size)
        print(retrieval_task(scores)._replace(files=[path]).text, flush=True)
        figures.append({"file": path, **dataclasses.asdict(scores)})
    if args.json:
        write_json(args.json, {"model": args.model, "answers": figures})
