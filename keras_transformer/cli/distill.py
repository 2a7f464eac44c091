"""keras-transformer distill: an embedder of static token vectors out of another one, without data."""

import argparse
from typing import Any

from keras_transformer import arguments
from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_outputs
from keras_transformer.pipelines.model_paths import EMBEDDER, find_keras_file


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "distill",
        help="make static token vectors of an encoder",
        description="Encodes each token of a trained embedder's vocabulary alone, cuts the vectors to their principal "
        "components and weighs them by the rank of the token: an embedder that adds up vectors, made without "
        "data (Model2Vec).",
    )
    parser.set_defaults(check=check, run=run)
    parser.add_argument(
        "--model", action=Once, required=True, help="an embedder.keras, or the folder it is in; `convert` makes one"
    )
    parser.add_argument("--out", action=Once, required=True, metavar="FILE.keras", help="file to write")
    parser.add_argument("--overwrite", action="store_true", help="replace an --out that exists")
    parser.add_argument("--output-dim", type=int, default=256, help="width of the vectors (default: %(default)s)")
    parser.add_argument(
        "--smoothing",
        type=float,
        default=1e-4,
        help="the frequency at which a token's weight is one half (default: %(default)s)",
    )


def check(args: argparse.Namespace) -> None:
    if not args.out.endswith(".keras"):
        raise ValueError(f"Expected an --out that ends in .keras. Received: {args.out}")
    arguments.positive_integer("--output-dim", args.output_dim)
    arguments.positive_number("--smoothing", args.smoothing)
    check_outputs([("--out", args.out)], [find_keras_file(args.model, EMBEDDER)], args.overwrite)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.pipelines import load_embedder
    from keras_transformer.training import distill_to_static

    teacher = load_embedder(find_keras_file(args.model, EMBEDDER))
    student = distill_to_static(teacher, args.output_dim, args.smoothing)
    student.save(args.out)
    print(f"Wrote {args.out}: {student.count_params():,} parameters, {student.output_dim} numbers a text")
