"""keras-transformer evaluate translator: BLEU and chrF of a model or of its translations, alone or compared."""

import argparse
import dataclasses
import sys
from typing import Any

from keras_transformer import arguments
from keras_transformer.atomic import replacing
from keras_transformer.cli import translators
from keras_transformer.cli.figures import write_json
from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_outputs
from keras_transformer.cli.progress import Progress


def add_parser(kinds: Any) -> None:
    parser = kinds.add_parser(
        "translator",
        help="BLEU and chrF of translations",
        description="Translates --source with a model, or reads translations, and compares them with --reference: "
        "BLEU and chrF with 95% bootstrap intervals and sacrebleu's signatures. Against a second system, a paired "
        "bootstrap test says whether the two differ. Files are plain or .gz, a sentence a line.",
    )
    parser.set_defaults(check=check, run=run)
    files = parser.add_argument_group("what to compare")
    first = files.add_mutually_exclusive_group(required=True)
    first.add_argument("--model", action="append", help=translators.MODEL_HELP)
    first.add_argument("--hypotheses", action=Once, metavar="FILE", help="translations, instead of a model")
    second = files.add_mutually_exclusive_group()
    second.add_argument("--against", action=Once, metavar="FILE", help="translations of a second system")
    second.add_argument("--against-model", action="append", metavar="MODEL", help="a second model or ensemble")
    files.add_argument("--source", action=Once, metavar="FILE", help="what a model translates; shown with --worst")
    files.add_argument("--reference", action=Once, metavar="FILE", help="reference translations")
    files.add_argument(
        "--pairs",
        action=Once,
        metavar="FILE.tsv",
        help="instead of --source and --reference, lines of source, tab, reference, without header and quoting",
    )
    metrics = parser.add_argument_group("metrics")
    metrics.add_argument(
        "--tokenize",
        default="13a",
        metavar="NAME",
        help="sacrebleu's tokenizer for BLEU: 13a (default), intl, char, zh, ja-mecab, ko-mecab, or none where "
        "references and translations are tokenized already",
    )
    metrics.add_argument("--lowercase", action="store_true", help="score lower-cased texts")
    metrics.add_argument(
        "--identifiers",
        action="store_true",
        help="count the names of code, as get_value or --help, that come through unchanged; wants --source or --pairs",
    )
    results = parser.add_argument_group("results")
    results.add_argument("--worst", type=int, metavar="N", help="show the N sentences with the lowest chrF")
    results.add_argument("--output", action=Once, metavar="FILE", help="write the translations of --model to a file")
    results.add_argument("--json", action=Once, metavar="FILE", help="write the scores to a file")
    results.add_argument("--overwrite", action="store_true", help="replace an --output or --json that exists")
    translators.add_options(parser.add_argument_group("translating, with --model and --against-model"))


def run(args: argparse.Namespace) -> None:
    from keras_transformer.evaluation import (
        compare_translations,
        score_identifiers,
        score_translations,
        worst_translations,
    )
    from keras_transformer.evaluation.sacrebleu_metrics import check_tokenize

    check_tokenize(args.tokenize)
    sources, references = _sources_and_references(args)
    hypotheses, others = _aligned(args.reference or args.pairs, references, args.hypotheses, args.against)
    models = [
        paths and translators.load(paths, args.beam, args.length_penalty) for paths in (args.model, args.against_model)
    ]
    if args.model:
        hypotheses = _translate(models[0], sources, args)
        if args.output:
            with replacing(args.output) as path, open(path, "w", encoding="utf-8", newline="\n") as file:
                file.writelines(f"{hypothesis}\n" for hypothesis in hypotheses)
    if args.against_model:
        others = _translate(models[1], sources, args)

    names = [_name(args.model, args.hypotheses)]
    metric = {"tokenize": args.tokenize, "lowercase": args.lowercase}
    if others is None:
        systems, p_values = [score_translations(hypotheses, references, **metric)], None
    else:
        names.append(_name(args.against_model, args.against))
        comparison = compare_translations(hypotheses, others, references, **metric)
        systems, p_values = comparison.systems, comparison.p_values
    kept = [None] * len(systems)
    if args.identifiers:
        kept = [score_identifiers(sources, references, found) for found in (hypotheses, others) if found is not None]
    for name, scores, identifiers in zip(names, systems, kept):
        _print_scores(name, scores, identifiers)
    if p_values:
        _print_comparison(systems, p_values)
    if args.worst:
        _print_worst(worst_translations(hypotheses, references, args.worst, sources, **metric))
    if args.json:
        figures = {
            "reference": args.reference or args.pairs,
            "systems": [
                {
                    "name": name,
                    **dataclasses.asdict(scores),
                    **({"identifiers": dataclasses.asdict(found)} if found else {}),
                }
                for name, scores, found in zip(names, systems, kept)
            ],
            "p_values": p_values,
        }
        write_json(args.json, figures)


def _name(models, file):
    return " + ".join(models) if models else file


def check(args: argparse.Namespace) -> None:
    from keras_transformer.data.lines import as_paths

    if args.pairs and (args.source or args.reference):
        raise ValueError("Expected --pairs, or --source and --reference. Received both")
    if not args.pairs and not args.reference:
        raise ValueError("Expected --reference or --pairs: the reference translations")
    if (args.model or args.against_model) and not (args.source or args.pairs):
        raise ValueError("Expected --source or --pairs: the sentences that the model is to translate")
    if args.identifiers and not (args.source or args.pairs):
        raise ValueError("Expected --source or --pairs with --identifiers, which are those of the source")
    if args.output and not args.model:
        raise ValueError("Expected --model with --output, which keeps its translations")
    if not (args.model or args.against_model) and (args.beam, args.length_penalty) != (None, None):
        raise ValueError("Expected --model with --beam and --length-penalty")
    arguments.positive_integer("--batch-size", args.batch_size)
    arguments.optional_positive_integer("--worst", args.worst)
    files = [path for path in (args.reference, args.source, args.pairs, args.hypotheses, args.against) if path]
    as_paths(files)
    for models in (args.model, args.against_model):
        files += translators.check_translators(models or [], args.beam, args.length_penalty)
    check_outputs([("--output", args.output), ("--json", args.json)], files, args.overwrite)


def _sources_and_references(args):
    """Two lists of texts, the first `None` for none."""
    from keras_transformer.data import read_lines, read_rows

    if args.pairs:
        return [list(column) for column in zip(*read_rows(args.pairs, ("source", "reference")))]
    references = list(read_lines(args.reference))
    if not references:
        raise ValueError(f"Expected at least one line. Received: {args.reference} is empty")
    (sources,) = _aligned(args.reference, references, args.source)
    return sources, references


def _aligned(name, wanted, *others):
    """The lines of each file, `None` for none; raises `ValueError` unless all have as many as those `wanted`."""
    from keras_transformer.data.lines import read_lines

    files = []
    for path in others:
        lines = None if path is None else list(read_lines(path))
        if lines is not None and len(lines) != len(wanted):
            raise ValueError(
                f"Expected files with equally many lines. Received: {name} with {len(wanted):,}, "
                f"{path} with {len(lines):,}"
            )
        files.append(lines)
    return files


def _translate(translator, sources, args):
    shown = sys.stderr.isatty() if args.progress is None else args.progress
    with Progress(shown, len(sources)) as progress:
        lines = translators.numbered(sources, f"{args.source or args.pairs}, line")
        translations = translators.translated(translator, lines, args.batch_size, progress)
        return [translators.one_line(translation) for translation in translations]


def _print_scores(name, scores, identifiers):
    from keras_transformer.evaluation.rounding import rounded

    print(f"{name}: {scores.num_sentences:,} sentences")
    for metric in (scores.bleu, scores.chrf):
        low, high = (rounded(bound, 2) for bound in metric.interval)
        print(f"  {metric.name:<5} {metric.score:6.2f}   95% interval {low:.2f} to {high:.2f}   {metric.signature}")
    precisions = " ".join(f"{precision:.1f}" for precision in scores.precisions)
    print(
        f"  n-gram precisions {precisions}, brevity penalty {scores.brevity_penalty:.3f} "
        f"({scores.hypothesis_length:,} tokens for {scores.reference_length:,})"
    )
    if identifiers:
        kept, found = identifiers.num_kept, identifiers.num_identifiers
        print(f"  identifiers kept: {kept:,} of {found:,}" + (f" ({100 * identifiers.fraction:.1f}%)" if found else ""))


def _print_comparison(systems, p_values):
    from keras_transformer.evaluation.rounding import rounded

    print("The first less the second, by paired bootstrap resampling:")
    for first, second in zip(*((scores.bleu, scores.chrf) for scores in systems)):
        print(f"  {first.name:<5} {rounded(first.score - second.score, 2):+6.2f}   p = {p_values[first.name]:.4f}")


def _print_worst(worst):
    print(f"The {len(worst):,} sentences with the lowest chrF:")
    for scored in worst:
        print(f"line {scored.line}   chrF {scored.chrf:.1f}   BLEU {scored.bleu:.1f}")
        for side in ("source", "reference", "hypothesis"):
            if (text := getattr(scored, side)) is not None:
                print(f"  {side:<10}  {text}".rstrip())
