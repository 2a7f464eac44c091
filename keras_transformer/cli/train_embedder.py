"""keras-transformer train embedder: from text files of several kinds to a `.keras` embedder."""

import argparse
import dataclasses
from typing import Any

from keras_transformer.cli import encoder_options, training_options
from keras_transformer.cli.outputs import check_training_outputs
from keras_transformer.data.lines import as_paths
from keras_transformer.training.names import CHECKPOINT, EMBEDDER, RANKING

_TASKS = {
    "paraphrases": "sentences that say the same: one, two or more in a row",
    "ranking": "input, right response, and maybe hard negatives, as many in each row",
    "inference": "label, premise, hypothesis; labels entailment, neutral, contradiction",
    "entailment": "the same files, for ranking: what a premise entails among what contradicts it and all others",
    "similarity": "score (0 to 5), sentence, sentence",
    "neighbours": "plain text, a sentence a line, a blank line between documents",
}
_WITH_NETWORK = ("ranking", "neighbours")


def add_parser(kinds: Any) -> None:
    parser = kinds.add_parser(
        "embedder",
        help="from text files of several kinds",
        description="Trains a sentence encoder on any of the tasks below, from tab-separated or plain text files "
        "(or .gz), and writes OUT/embedder.keras and OUT/history.csv. A training that was killed resumes when it is "
        "started again with the same arguments.",
    )
    parser.set_defaults(check=check, run=run)
    _add_tasks(parser)
    encoder_options.add_files(parser, "scored pairs that choose the best weights, as --similarity")
    encoder_options.add_encoder(parser)


def _add_tasks(parser):
    tasks = parser.add_argument_group("tasks", "Each step trains a batch of one of them.")
    for name, text in _TASKS.items():
        tasks.add_argument(f"--{name}", nargs="+", action="extend", metavar="FILE", help=text)
    tasks.add_argument(
        "--teacher",
        nargs=2,
        action="append",
        metavar=("TEXT", "VECTORS"),
        help="a text file, and an .npy with a vector of each line; given again, another task: teacher2 and so on",
    )
    tasks.add_argument(
        "--teacher-similarities",
        type=float,
        metavar="W",
        help="weight of the teacher's cosines between the texts of a batch, beside its vectors (default: 0)",
    )
    tasks.add_argument(
        "--teacher-prefixes",
        type=int,
        nargs="+",
        action="extend",
        metavar="N",
        help="the first N numbers of the vectors alone must have these cosines too, so that they may be cut",
    )
    tasks.add_argument(
        "--least-squares-start",
        action="store_true",
        help="begin with the embeddings whose sums come nearest to the teacher's vectors, computed within minutes, "
        "and train all but these; with --token-weights",
    )
    tasks.add_argument(
        "--weights",
        nargs="+",
        action="extend",
        metavar="TASK=W",
        default=[],
        help="how often a task's batches come (default: 1 each)",
    )
    tasks.add_argument("--batch-size", type=int, default=128, help="rows of a batch (default: %(default)s)")
    tasks.add_argument(
        "--ranking-batch-size", type=int, metavar="N", help="of the tasks that rank: candidates are those of the batch"
    )
    tasks.add_argument("--scale", type=float, help="of cosines in ranking (default: 20.0)")
    tasks.add_argument("--margin", type=float, help="additive, in ranking (default: 0.0)")
    tasks.add_argument(
        "--response-network", type=int, metavar="WIDTH", help="a feed-forward network on the responses of ranking "
        "and neighbours, as the paper has it"
    )  # fmt: skip
    tasks.add_argument(
        "--similarity-loss",
        default="regression",
        choices=("regression", "correlation"),
        help="of scored pairs: cosines must be the scores, or only correlate with them (default: %(default)s)",
    )


def check(args: argparse.Namespace) -> None:
    encoder_options.check_encoder(args, _recipe(args))
    training_options.check_output(args, EMBEDDER)
    given, _ = _given(args)
    files = as_paths([path for paths in (*given.values(), args.validation or []) for path in paths])
    check_training_outputs(args.out, (EMBEDDER, CHECKPOINT), files)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.training import read_tasks, train_embedder

    given, weights = _given(args)

    def train(**options):
        tasks = read_tasks(given, _objectives(args, given), weights, args.batch_size, args.ranking_batch_size)
        train_embedder(args.out, tasks, args.validation, recipe=_recipe(args), **options)

    training_options.run(args, train)


def _recipe(args):
    return dataclasses.replace(encoder_options.recipe(args), least_squares_start=args.least_squares_start)


def _objectives(args, given):
    """{task: its objective} of those that options say something of."""
    from keras_transformer.training import ResponseRanking, SimilarityCorrelation, TeacherVectors

    settings = {name: getattr(args, name) for name in ("scale", "margin") if getattr(args, name) is not None}
    objectives = {}
    for name in set(RANKING) & set(given):
        network = args.response_network if name in _WITH_NETWORK else None
        objectives[name] = ResponseRanking(response_network=network, **settings)
    if args.teacher_similarities is not None or args.teacher_prefixes is not None:
        for name in _teachers(given):
            objectives[name] = TeacherVectors(
                similarities=args.teacher_similarities or 0.0, prefixes=args.teacher_prefixes or ()
            )
    if args.similarity_loss == "correlation":
        objectives["similarity"] = SimilarityCorrelation()
    return objectives


def _given(args):
    """{task: files} and {task: weight}."""
    given = {name: getattr(args, name) for name in _TASKS if getattr(args, name)}
    given.update((f"teacher{i}" if i > 1 else "teacher", files) for i, files in enumerate(args.teacher or [], start=1))
    if not given:
        raise ValueError(
            f"Expected at least one task of {', '.join(map(training_options.option, (*_TASKS, 'teacher')))}"
        )
    weights = _weights(args.weights, given)
    _check_used(args, given)
    return given, weights


def _teachers(given):
    return [name for name in given if name.startswith("teacher")]


def _weights(texts, given):
    """{task: weight} of TASK=WEIGHT texts."""
    weights = {}
    for text in texts:
        name, _, weight = text.partition("=")
        try:
            weight = float(weight)
        except ValueError:
            raise ValueError(f"Expected --weights TASK=NUMBER. Received: {text}") from None
        if name not in given:
            raise ValueError(f"Expected weights of tasks that are given, {list(given)}. Received: {text}")
        if name in weights:
            raise ValueError(f"Expected one weight of each task. Received: {name}={weights[name]:g} and {text}")
        weights[name] = weight
    return weights


def _check_used(args, given):
    """`ValueError` for options of tasks that are not given."""
    tasks_of = {
        "ranking_batch_size": RANKING,
        "scale": RANKING,
        "margin": RANKING,
        "response_network": _WITH_NETWORK,
    }
    for name, tasks in tasks_of.items():
        if getattr(args, name) is not None and not set(tasks) & set(given):
            options = ", ".join(map(training_options.option, tasks))
            raise ValueError(f"Expected one of {options} with {training_options.option(name)}. Received: {list(given)}")
    for name in ("teacher_similarities", "teacher_prefixes"):
        if getattr(args, name) is not None and not _teachers(given):
            raise ValueError(f"Expected --teacher with {training_options.option(name)}. Received: {list(given)}")
    if args.least_squares_start and not (_teachers(given) and args.token_weights):
        raise ValueError("Expected --teacher and --token-weights with --least-squares-start")
    if args.teacher_prefixes and not args.teacher_similarities:
        raise ValueError(
            "Expected --teacher-similarities above 0 with --teacher-prefixes. "
            f"Received: {args.teacher_similarities or 0}"
        )
    if args.similarity_loss != "regression" and "similarity" not in given:
        raise ValueError(f"Expected --similarity with --similarity-loss. Received: {list(given)}")
