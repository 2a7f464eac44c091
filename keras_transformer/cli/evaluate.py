"""keras-transformer evaluate: measure a model, by a command for each kind of it."""

from typing import Any

from keras_transformer.cli import (
    evaluate_embedder,
    evaluate_pair_scorer,
    evaluate_question_answerer,
    evaluate_translator,
)


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("evaluate", help="measure how good a model is")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for module in (evaluate_translator, evaluate_embedder, evaluate_question_answerer, evaluate_pair_scorer):
        module.add_parser(kinds)
