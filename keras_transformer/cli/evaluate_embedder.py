"""keras-transformer evaluate embedder: similarity, classification and retrieval by a model's sentence vectors."""

import argparse
import dataclasses
import functools
from typing import Any

from keras_transformer import arguments
from keras_transformer.cli import models
from keras_transformer.cli.figures import print_estimate, print_retrieval, write_json
from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_outputs
from keras_transformer.cli.texts import check_texts
from keras_transformer.evaluation import pictures
from keras_transformer.pipelines.model_paths import EMBEDDER, find_model


def add_parser(kinds: Any) -> None:
    parser = kinds.add_parser(
        "embedder",
        help="similarity, classification and retrieval by sentence vectors",
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
    tasks.add_argument(
        "--similarity",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="semantic textual similarity, as of STS-B; columns: score (0 to 5), sentence, sentence",
    )
    tasks.add_argument(
        "--classification",
        nargs="+",
        action="append",
        default=[],
        metavar="FILE",
        help="logistic regression on the vectors; columns: label, text. One file for 10-fold cross-validation, or two, "
        "to train and to test; may be given again for other files",
    )
    tasks.add_argument(
        "--retrieval",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="each query's right answers among the different answers of the file, by inner product; columns: query, "
        "answer; a query in several lines has several right answers",
    )
    tasks.add_argument(
        "--heat-map", action=Once, metavar="FILE", help="draw how similar the texts of --text are (.png, .svg or .pdf)"
    )
    parser.add_argument("--text", nargs="+", action="extend", metavar="TEXT", help="texts for --heat-map")
    parser.add_argument("--json", action=Once, metavar="FILE", help="write the scores to a file")
    parser.add_argument("--overwrite", action="store_true", help="replace a --json or --heat-map that exists")


def run(args: argparse.Namespace) -> None:
    from keras_transformer.pipelines import load_embedder

    if args.classification:
        from keras_transformer.evaluation.text_classification import check_scikit_learn

        check_scikit_learn()
    if args.heat_map:
        pictures.check_matplotlib()
    similarity = [(path, _read_similarity(path)) for path in args.similarity]
    classification = [(paths, [_read(path, "label", "text") for path in paths]) for paths in args.classification]
    retrieval = [(path, _read(path, "query", "answer")) for path in args.retrieval]
    embedder = load_embedder(models.newest(args.model, EMBEDDER))
    embed = functools.partial(_embedded, embedder, args.batch_size, args.truncate_dim)
    figures = {"model": args.model, "similarity": [], "classification": [], "retrieval": []}
    if args.truncate_dim:
        figures["truncate_dim"] = args.truncate_dim
    print(args.model, flush=True)
    if args.heat_map:
        from keras_transformer.evaluation import plot_similarity

        plot_similarity(args.text, embed(args.text), args.heat_map)
        print(f"Wrote {args.heat_map}")
    for path, columns in similarity:
        figures["similarity"].append({"file": path, **_measure_similarity(path, columns, embed)})
    for paths, files in classification:
        figures["classification"].append({"files": paths, **_measure_classification(paths, files, embed)})
    for path, columns in retrieval:
        figures["retrieval"].append({"file": path, **_measure_retrieval(path, columns, embed)})
    if args.json:
        write_json(args.json, figures)


def check(args: argparse.Namespace) -> None:
    from keras_transformer.data.lines import as_paths

    if not (args.similarity or args.classification or args.retrieval or args.heat_map):
        raise ValueError("Expected at least one of --similarity, --classification, --retrieval and --heat-map")
    for paths in args.classification:
        if len(paths) > 2:
            raise ValueError(f"Expected one or two files for a --classification. Received: {' '.join(paths)}")
    if bool(args.heat_map) != bool(args.text):
        raise ValueError("Expected both of --heat-map and --text, or neither")
    arguments.positive_integer("--batch-size", args.batch_size)
    arguments.optional_positive_integer("--truncate-dim", args.truncate_dim)
    if args.heat_map:
        pictures.picture_format(args.heat_map)
    check_texts("--text", args.text or [])
    files = [*args.similarity, *args.retrieval, *(path for paths in args.classification for path in paths)]
    if files:
        as_paths(files)
    files.append(find_model(args.model, EMBEDDER))
    check_outputs([("--heat-map", args.heat_map), ("--json", args.json)], files, args.overwrite)


def _embedded(embedder, batch_size, truncate_dim, texts):
    from keras_transformer.vector_similarity import truncated

    vectors = embedder.embed(texts, batch_size=batch_size)
    return vectors if truncate_dim is None else truncated(vectors, truncate_dim)


def _read(path, *columns, numbers=None):
    """The columns of a file, a tuple each."""
    from keras_transformer.data import read_rows

    return list(zip(*read_rows(path, columns, numbers)))


def _read_similarity(path):
    return _read(path, "score", "sentence1", "sentence2", numbers={"score": (0, 5)})


def _measure_similarity(path, columns, embed):
    from keras_transformer.evaluation import score_similarity

    gold, first, second = columns
    scores = score_similarity(first, second, gold, embed)
    print(f"Similarity, {path}: {scores.num_pairs:,} pairs")
    for estimate in (scores.cosine_pearson, scores.angular_pearson, scores.spearman):
        print_estimate(estimate)
    return dataclasses.asdict(scores)


def _measure_classification(paths, files, embed):
    from keras_transformer.evaluation import cross_validate, train_and_test

    (labels, texts), *test = files
    if test:
        scores = train_and_test(texts, labels, test[0][1], test[0][0], embed)
        how = f"trained on {len(texts):,} others"
    else:
        scores = cross_validate(texts, labels, embed)
        how = f"{len(scores.fold_accuracies)} folds"
    print(f"Classification, {' '.join(paths)}: {scores.num_texts:,} texts, {scores.num_labels} labels, {how}")
    print_estimate(scores.accuracy)
    if not test:
        print(f"  {'of each fold':<17}  {' '.join(f'{accuracy:.3f}' for accuracy in scores.fold_accuracies)}")
    return dataclasses.asdict(scores)


def _measure_retrieval(path, columns, embed):
    from keras_transformer.evaluation import score_retrieval

    scores = score_retrieval(*columns, embed)
    print_retrieval(path, scores)
    return dataclasses.asdict(scores)
