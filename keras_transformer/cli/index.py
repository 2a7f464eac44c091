"""keras-transformer index: makes lines of text searchable by what they mean."""

import argparse
import itertools
import os
import sys
from typing import Any

from keras_transformer.cli import embedded_lines, models, outputs
from keras_transformer.cli.once import Once
from keras_transformer.cli.progress import Progress
from keras_transformer.pipelines.model_paths import EMBEDDER
from keras_transformer.search.names import EXTRA, PRECISIONS, RESCORING


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "index",
        help="make texts searchable by what they mean",
        description="Writes an index of the lines of FILEs, or of standard input, for `keras-transformer search`: the "
        "texts and their vectors, in constant memory. The id of a text is the number of its line, from 0. In Python it "
        "is a keras_transformer.search.SemanticIndex.",
    )
    parser.set_defaults(check=check, run=run)
    embedded_lines.add_arguments(parser)
    parser.add_argument(
        "--output", action=Once, metavar="FILE", required=True, help="the index, written whole or not at all"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an --output that exists")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default=PRECISIONS[0],
        help="of the vectors: int8 is a quarter as large, binary 1/32 (%(default)s)",
    )
    parser.add_argument(
        "--rescoring",
        choices=RESCORING,
        help="rank what vectors of a lower precision find by vectors of this one, which stay on the disk",
    )
    parser.add_argument(
        "--approximate", action="store_true", help=f"search in a graph of neighbours, for millions of texts ({EXTRA})"
    )


def check(args: argparse.Namespace) -> None:
    if args.rescoring and PRECISIONS.index(args.rescoring) >= PRECISIONS.index(args.precision):
        raise ValueError(
            f"Expected --rescoring of a higher precision than --precision {args.precision}. Received: {args.rescoring}"
        )
    files = embedded_lines.check_arguments(args)
    outputs.check_outputs([("--output", args.output)], files, args.overwrite)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.cli.prompted import Prompted
    from keras_transformer.pipelines import load_embedder
    from keras_transformer.pipelines.embedding import DOCUMENT, first_of
    from keras_transformer.search import SemanticIndex

    shown = sys.stderr.isatty() if args.progress is None else args.progress
    total = embedded_lines.number_of_lines(args.files) if shown else None
    path = models.newest(args.model, EMBEDDER)
    embedder = load_embedder(path)
    embedder = Prompted(embedder, first_of(embedder.prompts, DOCUMENT))
    with Progress(shown, total) as progress:
        pairs = embedded_lines.embedded_lines(embedder, embedded_lines.lines(args.files), args.batch_size, progress)
        pairs, again = itertools.tee(pairs)  # one is at most a block ahead
        SemanticIndex.build(
            args.output,
            (text for text, _ in pairs),
            vectors=(vector for _, vector in again),
            precision=args.precision,
            rescoring=args.rescoring,
            approximate=args.approximate,
            model=os.path.abspath(path),
        )
