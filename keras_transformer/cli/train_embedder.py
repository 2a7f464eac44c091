"""keras-transformer train embedder: from text files of several kinds to a `.keras` embedder."""

import argparse
import dataclasses
from typing import Any

from keras_transformer.cli import encoder_options, objective_options, training_options
from keras_transformer.cli.outputs import check_training_outputs
from keras_transformer.data.lines import as_paths
from keras_transformer.training.names import CHECKPOINT, EMBEDDER, ROLES, WITH_ROLES

_TASKS = {
    "paraphrases": "sentences that say the same: one, two or more in a row",
    "ranking": "input, right response, and maybe hard negatives, as many in each row",
    "inference": "label, premise, hypothesis; labels entailment, neutral, contradiction",
    "entailment": "the same files, for ranking: what a premise entails among what contradicts it and all others",
    "similarity": "score (0 to 5), sentence, sentence",
    "neighbours": "plain text, a sentence a line, a blank line between documents",
    "sentences": "plain text, a sentence a line: each finds itself under another dropout (SimCSE)",
    "denoising": "plain text, a sentence a line: the vector of what is left of it must tell the whole (TSDAE)",
    "triplets": "anchor, positive, negative",
    "classes": "class, sentence",
    "matches": "1 or 0, sentence, sentence: whether the two belong together",
    "candidates": "a teacher's scores, a query, and as many candidates as scores, the right one first",
}


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
    tasks.add_argument(
        "--no-duplicates", action="store_true", help="of the tasks that rank: no text stands twice in a batch"
    )
    tasks.add_argument(
        "--prompts",
        nargs="+",
        action="extend",
        metavar="ROLE=TEXT",
        default=[],
        help="put in front of texts by role, query and document (or passage, corpus), in --ranking and --candidates; "
        "the embedder keeps them: search takes them by itself, `embed` by --prompt",
    )
    objective_options.add(tasks)


def check(args: argparse.Namespace) -> None:
    encoder_options.check_encoder(args, _recipe(args))
    training_options.check_output(args, EMBEDDER)
    given, _ = _given(args)
    if _prompts(args.prompts) and not set(given) & set(WITH_ROLES):
        raise ValueError("Expected --ranking or --candidates with --prompts, whose texts have roles. Received neither")
    files = as_paths([path for paths in (*given.values(), args.validation or []) for path in paths])
    check_training_outputs(args.out, (EMBEDDER, CHECKPOINT), files)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.training import read_tasks, train_embedder

    given, weights = _given(args)
    prompts = _prompts(args.prompts)

    def train(**options):
        tasks = read_tasks(
            given,
            objective_options.objectives(args, given),
            weights,
            args.batch_size,
            args.ranking_batch_size,
            args.no_duplicates,
            objective_options.guide(args),
            prompts,
        )
        train_embedder(args.out, tasks, args.validation, recipe=_recipe(args), prompts=prompts, **options)

    training_options.run(args, train)


def _recipe(args):
    return dataclasses.replace(encoder_options.recipe(args), least_squares_start=args.least_squares_start)


def _given(args):
    """{task: files} and {task: weight}."""
    given = {name: getattr(args, name) for name in _TASKS if getattr(args, name)}
    given.update((f"teacher{i}" if i > 1 else "teacher", files) for i, files in enumerate(args.teacher or [], start=1))
    if not given:
        raise ValueError(
            f"Expected at least one task of {', '.join(map(training_options.option, (*_TASKS, 'teacher')))}"
        )
    weights = _weights(args.weights, given)
    objective_options.check(args, given)
    objective_options.check_start(args, given)
    return given, weights


def _prompts(texts):
    """{role: text} of ROLE=TEXT texts."""
    prompts = {}
    for text in texts:
        role, is_there, prompt = text.partition("=")
        if not is_there or not role or role in prompts:
            raise ValueError(f"Expected --prompts ROLE=TEXT, each role once. Received: {text}")
        if role not in ROLES:
            raise ValueError(f"Expected --prompts of the roles {', '.join(ROLES)}. Received: {text}")
        prompts[role] = prompt
    return prompts


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
