"""keras-transformer mine: hard negatives of pairs, as rows for `train embedder --ranking`."""

import argparse
from typing import Any

from keras_transformer import arguments
from keras_transformer.atomic import replacing
from keras_transformer.cli import models
from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_outputs
from keras_transformer.pipelines.model_paths import EMBEDDER, find_model

_LIMITS = {
    "margin": "how much a negative's cosine must be below that of the right response",
    "relative_margin": "the same as a fraction of it: 0.05 leaves out what has more than 95%% of it",
    "max_score": "highest cosine of a negative",
    "min_score": "lowest cosine of a negative",
}


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "mine",
        help="find hard negatives for a ranking",
        description="Writes each pair of PAIRS, tab-separated input and response, with the texts that a trained "
        "embedder finds nearest to the input and that are no response to it in any pair: rows for `train embedder "
        "--ranking`. Pairs for which fewer are found are left out, and counted.",
    )
    parser.set_defaults(check=check, run=run)
    parser.add_argument("files", nargs="+", metavar="PAIRS", help="plain or .gz")
    parser.add_argument("--model", action=Once, required=True, help=models.EMBEDDER_HELP)
    parser.add_argument("--output", action=Once, required=True, metavar="FILE", help="written whole or not at all")
    parser.add_argument("--overwrite", action="store_true", help="replace an --output that exists")
    parser.add_argument(
        "--corpus", nargs="+", action="extend", metavar="FILE", help="texts to search, one a line (default: responses)"
    )
    parser.add_argument("--negatives", type=int, default=1, metavar="N", help="of each pair (default: %(default)s)")
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="so many of the nearest texts (default: 0)")
    parser.add_argument(
        "--among", type=int, default=100, metavar="N", help="search so many of the nearest texts (default: %(default)s)"
    )
    for name, text in _LIMITS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, help=text)
    parser.add_argument("--batch-size", type=int, default=32, help="texts embedded at once (default: %(default)s)")


def check(args: argparse.Namespace) -> None:
    from keras_transformer.data.lines import as_paths

    files = as_paths([*args.files, *(args.corpus or [])])
    files.append(find_model(args.model, EMBEDDER))
    arguments.positive_integer("--batch-size", args.batch_size)
    arguments.positive_integer("--negatives", args.negatives)
    arguments.non_negative_integer("--skip", args.skip)
    if args.among < args.skip + args.negatives:
        raise ValueError(f"Expected --among of at least --skip and --negatives together. Received: {args.among}")
    check_outputs([("--output", args.output)], files, args.overwrite)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.data.lines import read_lines
    from keras_transformer.pipelines import load_embedder
    from keras_transformer.training import mine_hard_negatives
    from keras_transformer.training.task_files import read_all_rows

    pairs = read_all_rows(args.files, ("input", "response"))
    corpus = None
    if args.corpus:
        # A tab would make two columns of a text.
        corpus = [" ".join(line.split("\t")) for line in read_lines(args.corpus) if line.strip()]
    rows = mine_hard_negatives(
        load_embedder(models.newest(args.model, EMBEDDER)),
        pairs,
        corpus,
        num_negatives=args.negatives,
        skip=args.skip,
        among=args.among,
        batch_size=args.batch_size,
        **{name: getattr(args, name) for name in _LIMITS},
    )
    if not rows:
        raise ValueError(f"Expected pairs with negatives within these limits. Received: none of {len(pairs):,}")
    with replacing(args.output) as path, open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines("\t".join(row) + "\n" for row in rows)
    left_out = len(pairs) - len(rows)
    print(f"Wrote {args.output}: {len(rows):,} rows; {left_out:,} pairs have fewer negatives than {args.negatives}")
