"""keras-transformer translate: translates texts, lines of files, or standard input."""

import argparse
import sys
from typing import Any

from keras_transformer import arguments
from keras_transformer.atomic import replacing
from keras_transformer.cli import models, outputs, standard_streams, translators
from keras_transformer.cli.once import Once
from keras_transformer.cli.progress import Progress
from keras_transformer.cli.texts import check_texts


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "translate",
        help="translate texts, files, or standard input",
        description="Translates TEXTs, or each line of --input or of standard input, to standard output or --output: "
        "line n is the translation of line n, an empty one of a blank one. Memory does not grow with the input.",
    )
    parser.set_defaults(check=check, run=run)
    parser.add_argument("texts", nargs="*", metavar="TEXT")
    parser.add_argument(
        "--model",
        action="append",
        help=f"{translators.MODEL_HELP}; in a checkout, by default, the newest in "
        f"saved_models/{models.SHIPPED_TRANSLATOR}",
    )
    parser.add_argument("--input", nargs="+", action="extend", metavar="FILE", help="plain or .gz; instead of TEXTs")
    parser.add_argument("--output", action=Once, metavar="FILE", help="written whole or not at all")
    parser.add_argument("--overwrite", action="store_true", help="replace an --output that exists")
    parser.add_argument(
        "--n-best",
        type=int,
        metavar="N",
        help="the N best translations of each text: lines of score, tab, translation; an empty line between texts",
    )
    parser.add_argument(
        "--reference",
        nargs="+",
        action="extend",
        metavar="FILE",
        help="reference translations of --input: of the N best translations, only the one with the highest sentence "
        "BLEU is written (for sequence-level distillation: Kim and Rush, 2016)",
    )
    translators.add_options(parser)


def check(args: argparse.Namespace) -> None:
    from keras_transformer.data.lines import as_paths

    if args.texts and args.input:
        raise ValueError("Expected TEXTs or --input. Received both")
    if args.reference and not (args.input and args.n_best):
        raise ValueError("Expected --input and --n-best with --reference")
    files = as_paths(args.input) if args.input else []
    files += as_paths(args.reference) if args.reference else []
    check_texts("TEXT", args.texts)
    arguments.positive_integer("--batch-size", args.batch_size)
    args.model = args.model or [models.shipped_model(models.SHIPPED_TRANSLATOR)]
    files += translators.check_translators(args.model, args.beam, args.length_penalty, args.n_best)
    if not (args.texts or args.input):
        standard_streams.check_input("TEXTs, --input")
        files.append(outputs.STANDARD_INPUT)
    if not args.output:
        standard_streams.check_output()
    written = outputs.STANDARD_OUTPUT if args.output is None else args.output
    outputs.check_outputs([("--output", written)], files, args.overwrite)


def run(args: argparse.Namespace) -> None:
    if args.reference:
        _check_references(args)
    shown = args.progress
    if shown is None:  # on a terminal, unless the translations go there too
        shown = sys.stderr.isatty() and bool(args.output or not sys.stdout.isatty())
    total = _count(args) if shown else None
    translator = translators.load(args.model, args.beam, args.length_penalty, args.n_best)
    with Progress(shown, total) as progress:
        translations = translators.translated(translator, _lines(args), args.batch_size, progress, bool(args.n_best))
        if args.reference:
            lines = _nearest(translations, args.reference)
        elif args.n_best:
            lines = _tables(translations, args.n_best)
        else:
            lines = map(translators.one_line, translations)
        if not args.output:
            _write(lines, sys.stdout)
            return
        with replacing(args.output) as path, open(path, "w", encoding="utf-8", newline="\n") as file:
            _write(lines, file)


def _lines(args):
    """Yields (place, text) of the input."""
    from keras_transformer.data.lines import decoded_lines, read_lines

    if args.texts:
        yield from translators.numbered(args.texts, "TEXT")
    elif args.input:
        for path in args.input:
            yield from translators.numbered(read_lines(path), f"{path}, line")
    else:
        yield from translators.numbered(decoded_lines(sys.stdin.buffer, "standard input"), "standard input, line")


def _check_references(args):
    from keras_transformer.data import count_pairs
    from keras_transformer.evaluation.sacrebleu_metrics import check_tokenize

    check_tokenize("13a")  # sacrebleu is there
    count_pairs(args.input, args.reference)


def _count(args):
    """How many texts there are; `None` for standard input."""
    from keras_transformer.data.lines import read_lines

    if args.input:
        return sum(1 for _ in read_lines(args.input))
    return len(args.texts) or None


def _nearest(translations, references):
    from keras_transformer.data.lines import read_lines
    from keras_transformer.evaluation import nearest_translation

    for beam, reference in zip(translations, read_lines(references)):
        yield nearest_translation([translators.one_line(translation) for translation, _ in beam], reference)


def _tables(translations, count):
    """Lines of score, tab, translation for each text; an empty line between two texts."""
    from keras_transformer.evaluation.rounding import rounded

    for number, beam in enumerate(translations):
        if number:
            yield ""
        for translation, score in beam[:count]:
            yield f"{rounded(score, 4):.4f}\t{translators.one_line(translation)}"


def _write(lines, file):
    for line in lines:
        print(line, file=file)
