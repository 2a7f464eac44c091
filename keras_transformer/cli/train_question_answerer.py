"""keras-transformer train question-answerer: from files of questions and answers to a `.keras` question answerer."""

import argparse
from typing import Any

from keras_transformer.cli import encoder_options, training_options
from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_training_outputs
from keras_transformer.data.lines import as_paths
from keras_transformer.pipelines.model_paths import EMBEDDER, find_keras_file
from keras_transformer.training.names import CHECKPOINT, QUESTION_ANSWERER

# Options of the objective and of the dual encoder: arguments of `train_question_answerer`.
_ARGUMENTS = {
    "batch_size": "batch_size",
    "scale": "scale",
    "margin": "margin",
    "network_hidden_dim": "hidden_dim",
    "network_output_dim": "output_dim",
}


def add_parser(kinds: Any) -> None:
    parser = kinds.add_parser(
        "question-answerer",
        help="from questions with their answers",
        description="Trains a dual encoder, in which each question must find its answer among all of a batch, on "
        "tab-separated files (or .gz) of question, answer and, in all rows or in none, the answer's context. Writes "
        "OUT/question_answerer.keras and OUT/history.csv. A training that was killed resumes when it is started again "
        "with the same arguments.",
    )
    parser.set_defaults(check=check, run=run)
    task = parser.add_argument_group("task")
    task.add_argument(
        "--answers",
        nargs="+",
        action="extend",
        required=True,
        metavar="FILE",
        help="question, answer and maybe the answer's context, without header and quoting",
    )
    task.add_argument("--batch-size", type=int, default=128, help="rows of a batch (default: %(default)s)")
    task.add_argument("--scale", type=float, default=20.0, help="of cosines in ranking (default: %(default)s)")
    task.add_argument("--margin", type=float, default=0.0, help="additive, in ranking (default: %(default)s)")
    files = encoder_options.add_files(parser, "as --answers, to choose the best weights by the mean reciprocal rank")
    files.add_argument(
        "--embedder",
        action=Once,
        metavar="FILE",
        help="an embedder.keras, or the folder it is in: its encoder and vocabulary are what the training starts from, "
        "and its limit of tokens holds if it is less than --max-length",
    )
    networks = parser.add_argument_group("networks", "On top of the encoder, one for questions and one for answers.")
    for name, text in (("hidden", "of their hidden layers"), ("output", "of the vectors of questions and answers")):
        networks.add_argument(
            f"--network-{name}-dim", type=int, default=512, help=f"width {text} (default: %(default)s)"
        )
    encoder_options.add_encoder(parser, output_dim="width of the encoder's vectors (default: 512)")


def check(args: argparse.Namespace) -> None:
    recipe = encoder_options.recipe(args)
    if not args.embedder:
        encoder_options.check_encoder(args, recipe)
    elif given := encoder_options.given_shape(args):
        raise ValueError(f"Expected no {', '.join(given)} beside --embedder, which has an encoder and a vocabulary")
    training_options.check_output(args, QUESTION_ANSWERER)
    files = as_paths([*args.answers, *(args.validation or [])])
    if args.embedder:
        files.append(find_keras_file(args.embedder, EMBEDDER))
    check_training_outputs(args.out, (QUESTION_ANSWERER, CHECKPOINT), files)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.training import train_question_answerer

    def train(**options):
        options.update((argument, getattr(args, name)) for name, argument in _ARGUMENTS.items())
        recipe = encoder_options.recipe(args)
        train_question_answerer(
            args.out, args.answers, args.validation, embedder=args.embedder, recipe=recipe, **options
        )

    training_options.run(args, train)
