"""The options of files of pairs of texts, for training and for measuring."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from keras_transformer.training.names import PAIR_KINDS

if TYPE_CHECKING:
    from keras_transformer.training import PairData

_HELPS = {
    "matches": "1 or 0, text, text: whether the two belong together",
    "similarity": "score (0 to 5), text, text",
    "ranking": "query, right text, and any number of wrong ones, as `mine` writes them",
    "classes": "class, text, text: entailment, premise, hypothesis for example",
    "scores": "score, text, text: numbers of any size, a teacher's for example",
}


def add_kinds(parser: argparse.ArgumentParser, kinds: Sequence[str] = PAIR_KINDS) -> Any:
    """Adds an option for each kind of files, of which one is to be given; returns their group."""
    group = parser.add_argument_group("pairs", "One of these; tab-separated, plain or .gz, without header and quoting.")
    choice = group.add_mutually_exclusive_group(required=True)
    for kind in kinds:
        choice.add_argument(f"--{kind}", nargs="+", action="extend", metavar="FILE", help=_HELPS[kind])
    return group


def given_kind(args: argparse.Namespace) -> tuple[str, list[str]]:
    """The kind that was given, and its files."""
    return next((kind, getattr(args, kind)) for kind in PAIR_KINDS if getattr(args, kind, None))


def read_pairs(kind: str, files: Sequence[str], labels: Sequence[str] | None = None) -> "PairData":
    """The pairs of files of a kind; of classes with the names `labels`, by default those of the files."""
    from keras_transformer.training import PairData

    options = {"labels": labels} if kind == "classes" else {}
    return getattr(PairData, kind)(files, **options)
