"""keras-transformer embed: writes the vectors of the lines of files, or of standard input."""

import argparse
import contextlib
import functools
import sys
from typing import Any

from keras_transformer import arguments
from keras_transformer.atomic import replacing
from keras_transformer.cli import embedded_lines, models, outputs, standard_streams, vector_files
from keras_transformer.cli.once import Once
from keras_transformer.cli.progress import Progress
from keras_transformer.pipelines.model_paths import EMBEDDER


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "embed",
        help="write the vectors of texts",
        description="Writes the vector of each line of FILEs, or of standard input: vector n is that of line n, zeros "
        "for an empty one. To standard output go lines of JSON, as to an --output that ends in .jsonl. Memory does "
        "not grow with the input.",
    )
    parser.set_defaults(check=check, run=run)
    embedded_lines.add_arguments(parser)
    parser.add_argument(
        "--output",
        action=Once,
        metavar="FILE",
        help='written whole or not at all: FILE.npy, a float32 array (N, D); FILE.jsonl, lines {"text": ..., '
        '"embedding": [...]}',
    )
    parser.add_argument(
        "--prompt", action=Once, metavar="ROLE", help="of an embedder with prompts: the role of the texts, as query"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an --output that exists")
    parser.add_argument(
        "--processes",
        type=int,
        default=1,
        metavar="N",
        help="so many processes embed, each with the model in its memory and its share of the cores (%(default)s)",
    )


def check(args: argparse.Namespace) -> None:
    if args.output is None:
        standard_streams.check_output()
    else:
        vector_files.writer(args.output)
    arguments.positive_integer("--processes", args.processes)
    files = embedded_lines.check_arguments(args)
    written = outputs.STANDARD_OUTPUT if args.output is None else args.output
    outputs.check_outputs([("--output", written)], files, args.overwrite)


def run(args: argparse.Namespace) -> None:
    write = vector_files.writer(args.output) if args.output else vector_files.write_json_lines
    shown = args.progress
    if shown is None:  # on a terminal, unless the vectors go there too
        shown = sys.stderr.isatty() and bool(args.output or not sys.stdout.isatty())
    total = embedded_lines.number_of_lines(args.files) if shown else None
    model = models.newest(args.model, EMBEDDER)
    with contextlib.ExitStack() as stack:
        if args.processes > 1:
            from keras_transformer.cli.embedding_workers import EmbeddingWorkers

            embedder = stack.enter_context(
                EmbeddingWorkers(args.processes, functools.partial(_open, prompt=args.prompt), model)
            )
            embedded = embedder.embed
        else:
            embedder = _open(model, args.prompt)
            embedded = functools.partial(embedded_lines.embedded_lines, embedder)
        progress = stack.enter_context(Progress(shown, total))
        pairs = embedded(embedded_lines.lines(args.files), args.batch_size, progress)
        if not args.output:
            write(pairs, embedder.output_dim, sys.stdout.buffer)
            return
        with replacing(args.output) as path, open(path, "wb") as file:
            write(pairs, embedder.output_dim, file)


def _open(path, prompt):
    from keras_transformer.cli.prompted import Prompted
    from keras_transformer.pipelines import load_embedder

    return Prompted(load_embedder(path), prompt)
