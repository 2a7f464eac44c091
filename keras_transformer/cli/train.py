"""keras-transformer train: train a model on your own files, by a command for each kind of it."""

from typing import Any

from keras_transformer.cli import train_embedder, train_pair_scorer, train_question_answerer, train_translator


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("train", help="train a model on your own files")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for module in (train_translator, train_embedder, train_question_answerer, train_pair_scorer):
        module.add_parser(kinds)
