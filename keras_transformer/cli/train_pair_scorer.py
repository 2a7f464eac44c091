"""keras-transformer train pair-scorer: from files of pairs of texts to a `.keras` scorer of pairs."""

import argparse
from typing import Any

from keras_transformer import arguments
from keras_transformer.cli import encoder_options, pair_options, training_options
from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_training_outputs
from keras_transformer.data.lines import as_paths
from keras_transformer.pipelines.model_paths import EMBEDDER_OR_PAIR_SCORER, find_keras_file
from keras_transformer.training.names import CHECKPOINT, PAIR_SCORER


def add_parser(kinds: Any) -> None:
    parser = kinds.add_parser(
        "pair-scorer",
        help="from pairs of texts: a cross-encoder, for reranking, as a teacher, or for classes of pairs",
        description="Trains a cross-encoder, which reads two texts together, on one of the kinds of pairs below. "
        "Writes OUT/pair_scorer.keras and OUT/history.csv. A training that was killed resumes when it is started again "
        "with the same arguments.",
    )
    parser.set_defaults(check=check, run=run)
    task = pair_options.add_kinds(parser)
    task.add_argument("--batch-size", type=int, default=32, help="pairs of a step (default: %(default)s)")
    files = encoder_options.add_files(parser, "pairs of the same kind, which choose the best weights")
    files.add_argument(
        "--start",
        action=Once,
        metavar="FILE",
        help="an embedder.keras or a pair_scorer.keras, or the folder it is in: its encoder and vocabulary are what "
        "the training starts from, and its limit of tokens holds if it is less than --max-length",
    )
    networks = parser.add_argument_group("network", "On top of the encoder.")
    networks.add_argument(
        "--network-hidden-dim", type=int, default=512, help="width of its hidden layer (default: %(default)s)"
    )
    encoder_options.add_encoder(parser, output_dim="width of the encoder's vectors (default: 512)")


def check(args: argparse.Namespace) -> None:
    recipe = encoder_options.recipe(args)
    arguments.positive_integer("--batch-size", args.batch_size)
    arguments.positive_integer("--network-hidden-dim", args.network_hidden_dim)
    if not args.start:
        encoder_options.check_encoder(args, recipe)
        arguments.one_of("--encoder", recipe.encoder, ("transformer",))
    elif given := encoder_options.given_shape(args):
        raise ValueError(f"Expected no {', '.join(given)} beside --start, which has an encoder and a vocabulary")
    training_options.check_output(args, PAIR_SCORER)
    files = as_paths([*pair_options.given_kind(args)[1], *(args.validation or [])])
    if args.start:
        files.append(find_keras_file(args.start, EMBEDDER_OR_PAIR_SCORER))
    check_training_outputs(args.out, (PAIR_SCORER, CHECKPOINT), files)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.training import train_pair_scorer

    def train(**options):
        kind, files = pair_options.given_kind(args)
        data = pair_options.read_pairs(kind, files)
        held_out = pair_options.read_pairs(kind, args.validation, data.labels) if args.validation else None
        train_pair_scorer(
            args.out,
            data,
            held_out,
            start=args.start,
            recipe=encoder_options.recipe(args),
            hidden_dim=args.network_hidden_dim,
            batch_size=args.batch_size,
            **options,
        )

    training_options.run(args, train)
