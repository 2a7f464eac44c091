"""keras-transformer evaluate embedder: similarity, classification, retrieval and more by a model's sentence vectors."""

import argparse
import functools
import sys
from typing import Any

from keras_transformer import arguments
from keras_transformer.cli import models
from keras_transformer.cli.embedder_measures import MEASURES
from keras_transformer.cli.figures import as_json, write_json
from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_outputs
from keras_transformer.cli.texts import check_texts
from keras_transformer.evaluation import pictures
from keras_transformer.pipelines.model_paths import EMBEDDER, find_model


def add_parser(kinds: Any) -> None:
    parser = kinds.add_parser(
        "embedder",
        help="similarity, classification, retrieval and more by sentence vectors",
        description="Measures any model from strings to vectors. Files are tab-separated, plain or .gz, UTF-8, without "
        "header and quoting. Intervals are 95% bootstrap intervals.",
    )
    parser.set_defaults(check=check, run=run)
    parser.add_argument("--model", action=Once, required=True, help=models.EMBEDDER_HELP)
    parser.add_argument("--batch-size", type=int, default=32, help="texts embedded at once (%(default)s)")
    parser.add_argument(
        "--truncate-dim", type=int, metavar="N", help="measure the first N numbers of the vectors, of length 1 again"
    )
    tasks = parser.add_argument_group("what to measure, at least one of them")
    for name, measure in MEASURES.items():
        action, metavar = ("extend", "FILE") if measure.one_file else ("append", measure.metavar)
        tasks.add_argument(f"--{name}", nargs="+", action=action, default=[], metavar=metavar, help=measure.help)
    parser.add_argument(
        "--ignore-identical-ids",
        action="store_true",
        help="for --beir: a document with the query's own id is no candidate (ArguAna, Quora)",
    )
    tasks.add_argument(
        "--heat-map", action=Once, metavar="FILE", help="draw how similar the texts of --text are (.png, .svg or .pdf)"
    )
    parser.add_argument("--text", nargs="+", action="extend", metavar="TEXT", help="texts for --heat-map and --html")
    parser.add_argument(
        "--format",
        choices=("text", "markdown", "json"),
        default="text",
        help="what is printed: lines as they come, the table of a model's card, or JSON (%(default)s)",
    )
    parser.add_argument("--json", action=Once, metavar="FILE", help="write the scores to a file")
    parser.add_argument(
        "--html",
        action=Once,
        metavar="FILE",
        help="write a report with the scores and pictures to a file that needs no other: how similar the texts of "
        "--text are, or some of the measured; similarities of pairs by their gold scores; labelled texts on a map",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a --json, --html or --heat-map that exists")


def run(args: argparse.Namespace) -> None:
    from keras_transformer.evaluation import markdown_table
    from keras_transformer.pipelines import load_embedder

    _check_libraries(args)
    read = [(name, paths, MEASURES[name].read(paths, args)) for name, paths in _tasks(args)]
    embedder = load_embedder(models.newest(args.model, EMBEDDER))
    embed = functools.partial(_embedded, embedder, args.batch_size, args.truncate_dim)
    figures = {"model": args.model, **{name: [] for name in MEASURES}}
    if args.truncate_dim:
        figures["truncate_dim"] = args.truncate_dim
    # What comes as it is measured; elsewhere than in a table or JSON.
    tell = functools.partial(print, flush=True, file=sys.stdout if args.format == "text" else sys.stderr)
    tell(args.model)
    if args.heat_map:
        from keras_transformer.evaluation import plot_similarity

        plot_similarity(args.text, embed(args.text), args.heat_map)
        tell(f"Wrote {args.heat_map}")
    measured = []
    for name, paths, data in read:
        scores, task = MEASURES[name].measure(data, embed)
        measured.append(task._replace(files=paths))
        where = {"file": paths[0]} if MEASURES[name].one_file else {"files": paths}
        figures[name].append({**where, **scores})
        tell(measured[-1].text)
    if args.format != "text":
        print(markdown_table(measured) if args.format == "markdown" else as_json(figures), end="", flush=True)
    if args.json:
        write_json(args.json, figures)
    if args.html:
        from keras_transformer.cli.report_pictures import report_pictures
        from keras_transformer.evaluation import write_html_report

        write_html_report(args.html, args.model, measured, report_pictures(args.text, read, embed))
        tell(f"Wrote {args.html}")


def check(args: argparse.Namespace) -> None:
    if not (any(_tasks(args)) or args.heat_map):
        names = ", ".join(f"--{name}" for name in MEASURES)
        raise ValueError(f"Expected at least one of {names} and --heat-map")
    for paths in args.classification:
        if len(paths) > 2:
            raise ValueError(f"Expected one or two files for a --classification. Received: {' '.join(paths)}")
    if args.heat_map and not args.text:
        raise ValueError("Expected both of --heat-map and --text, or neither")
    if args.text and not (args.heat_map or args.html):
        raise ValueError("Expected --text with --heat-map or --html only")
    if args.ignore_identical_ids and not args.beir:
        raise ValueError("Expected --ignore-identical-ids with --beir only")
    arguments.positive_integer("--batch-size", args.batch_size)
    arguments.optional_positive_integer("--truncate-dim", args.truncate_dim)
    if args.heat_map:
        pictures.picture_format(args.heat_map)
    check_texts("--text", args.text or [])
    files = [file for name, paths in _tasks(args) for file in MEASURES[name].files(paths)]
    files.append(find_model(args.model, EMBEDDER))
    outputs = [("--heat-map", args.heat_map), ("--json", args.json), ("--html", args.html)]
    check_outputs(outputs, files, args.overwrite)


def _tasks(args):
    """(name of the measure, paths) of each task."""
    for name, measure in MEASURES.items():
        for paths in getattr(args, name):
            yield name, [paths] if measure.one_file else paths


def _check_libraries(args):
    """Before any time is spent on embedding."""
    from keras_transformer.evaluation.text_classification import check_scikit_learn

    if args.heat_map or args.html:
        pictures.check_matplotlib()
    if args.classification or args.clustering or args.html:
        check_scikit_learn()


def _embedded(embedder, batch_size, truncate_dim, texts, roles=()):
    from keras_transformer.pipelines.embedding import first_of
    from keras_transformer.vector_similarity import truncated

    vectors = embedder.embed(texts, batch_size=batch_size, prompt=first_of(embedder.prompts, roles))
    return vectors if truncate_dim is None else truncated(vectors, truncate_dim)
