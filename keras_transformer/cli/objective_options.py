"""The options of the objectives of sentence encoders: of what `train embedder` trains vectors for."""

import argparse
from typing import Any

from keras_transformer.cli import training_options
from keras_transformer.pipelines.model_paths import EMBEDDER, find_model
from keras_transformer.training.names import GUIDED, RANKING
from keras_transformer.types import Config

_WITH_NETWORK = ("ranking", "neighbours")
_TRIPLETS = ("triplets", "classes")
# Options with the tasks that they are of.
_TASKS_OF = {
    "ranking_batch_size": RANKING,
    "no_duplicates": RANKING,
    "scale": RANKING,
    "margin": RANKING,
    "response_network": _WITH_NETWORK,
    "guide": GUIDED,
    "similarity_loss": ("similarity",),
    "matches_loss": ("matches",),
    "triplet_margin": _TRIPLETS,
    "mining": ("classes",),
    "candidates_loss": ("candidates",),
    "candidates_scale": ("candidates",),
}
_SIMILARITY = {
    "regression": "SimilarityRegression",
    "correlation": "SimilarityCorrelation",
    "cosent": "CoSENT",
    "angle": "AnglE",
}
_MATCHES = {"all": "ContrastivePairs", "online": "OnlineContrastivePairs"}
_CANDIDATES = {"margins": "MarginMSE", "distribution": "ScoreDistribution"}
_MINING = {"all": "all", "hard": "hard", "semi-hard": "semi_hard"}


def add(tasks: Any) -> None:
    """Adds the options to the group of tasks."""
    _add_of_teacher(tasks)
    tasks.add_argument("--scale", type=float, help="of cosines in ranking (default: 20.0; with a guide 100.0)")
    tasks.add_argument("--margin", type=float, help="additive, in ranking (default: 0.0)")
    tasks.add_argument(
        "--response-network", type=int, metavar="WIDTH", help="a feed-forward network on the responses of ranking "
        "and neighbours, as the paper has it"
    )  # fmt: skip
    tasks.add_argument(
        "--guide",
        metavar="MODEL",
        help="another embedder: in ranking a candidate that it finds as near as the right response is left out, since "
        "it may be right too (GISTEmbed); of what --model of `embed` takes",
    )
    tasks.add_argument(
        "--guide-margin", type=float, metavar="M", help="candidates are left out that are less near by M (default: 0)"
    )
    tasks.add_argument(
        "--similarity-loss",
        choices=list(_SIMILARITY),
        help="of scored pairs: cosines must be the scores, correlate with them, or be in their order; with angle in "
        "place of cosines the angles of AnglE (default: regression)",
    )
    tasks.add_argument(
        "--matches-loss",
        choices=list(_MATCHES),
        help="of pairs that do or do not belong together: of all pairs, or of the hard ones of a batch (default: all)",
    )
    tasks.add_argument("--triplet-margin", type=float, metavar="M", help="of triplets and classes (default: 0.2)")
    tasks.add_argument(
        "--mining", choices=list(_MINING), help="which triplets of a batch of classes count (default: semi-hard)"
    )
    tasks.add_argument(
        "--candidates-loss",
        choices=list(_CANDIDATES),
        help="of candidates: the teacher's margins (MarginMSE), or its softmax (default: margins)",
    )
    tasks.add_argument(
        "--candidates-scale", type=float, metavar="S", help="of cosines beside the teacher's scores (default: 1.0)"
    )
    tasks.add_argument(
        "--matryoshka",
        type=int,
        nargs="+",
        action="extend",
        metavar="N",
        help="all of this, but for the teacher's, must hold for the first N numbers of the vectors alone too, so that "
        "they may be cut",
    )


def _add_of_teacher(tasks):
    tasks.add_argument(
        "--teacher-similarities",
        type=float,
        metavar="W",
        help="weight of the teacher's cosines between the texts of a batch, beside its vectors (default: 0)",
    )
    tasks.add_argument(
        "--teacher-prefixes",
        type=int,
        nargs="+",
        action="extend",
        metavar="N",
        help="the first N numbers of the vectors alone must have these cosines too, so that they may be cut",
    )


def objectives(args: argparse.Namespace, given: Config) -> Config:
    """{task: its objective} of all tasks that are given but those of a teacher of which no option says anything."""
    from keras_transformer import training

    found = {name: _of_ranking(args, name) for name in RANKING if name in given}
    margin = {} if args.triplet_margin is None else {"margin": args.triplet_margin}
    scale = {} if args.candidates_scale is None else {"scale": args.candidates_scale}
    makers = {
        "inference": lambda: training.NaturalLanguageInference(),
        "similarity": lambda: getattr(training, _SIMILARITY[args.similarity_loss or "regression"])(),
        "matches": lambda: getattr(training, _MATCHES[args.matches_loss or "all"])(),
        "triplets": lambda: training.TripletMargin(**margin),
        "classes": lambda: training.ClassTriplets(_MINING[args.mining or "semi-hard"], **margin),
        "candidates": lambda: getattr(training, _CANDIDATES[args.candidates_loss or "margins"])(**scale),
    }
    found.update((name, make()) for name, make in makers.items() if name in given)
    if args.matryoshka:
        found = {name: training.Matryoshka(objective, args.matryoshka) for name, objective in found.items()}
    if args.teacher_similarities is not None or args.teacher_prefixes is not None:
        for name in _teachers(given):
            found[name] = training.TeacherVectors(
                similarities=args.teacher_similarities or 0.0, prefixes=args.teacher_prefixes or ()
            )
    return found


def _of_ranking(args, name):
    from keras_transformer.training import GuidedRanking, ResponseRanking

    scale = {} if args.scale is None else {"scale": args.scale}
    if args.guide and name in GUIDED:
        return GuidedRanking(margin=args.guide_margin or 0.0, **scale)
    network = args.response_network if name in _WITH_NETWORK else None
    return ResponseRanking(margin=args.margin or 0.0, response_network=network, **scale)


def guide(args: argparse.Namespace) -> Any:
    """The guide's function from texts to vectors, or `None`."""
    if not args.guide:
        return None
    from keras_transformer.cli import models
    from keras_transformer.pipelines import load_embedder

    return load_embedder(models.newest(args.guide, EMBEDDER)).embed


def check(args: argparse.Namespace, given: Config) -> None:
    """`ValueError` for options of tasks that are not given, and for those that exclude each other."""
    for name, tasks in _TASKS_OF.items():
        if getattr(args, name) not in (None, False) and not set(tasks) & set(given):
            options = ", ".join(map(training_options.option, tasks))
            options = f"one of {options}" if len(tasks) > 1 else options
            raise ValueError(f"Expected {options} with {training_options.option(name)}. Received: {list(given)}")
    for name in ("teacher_similarities", "teacher_prefixes"):
        if getattr(args, name) is not None and not _teachers(given):
            raise ValueError(f"Expected --teacher with {training_options.option(name)}. Received: {list(given)}")
    if args.teacher_prefixes and not args.teacher_similarities:
        raise ValueError(
            "Expected --teacher-similarities above 0 with --teacher-prefixes. "
            f"Received: {args.teacher_similarities or 0}"
        )
    if args.matryoshka and len(_teachers(given)) == len(given):
        raise ValueError("Expected --teacher-prefixes for --teacher, and other tasks for --matryoshka")
    if args.guide_margin is not None and not args.guide:
        raise ValueError(f"Expected --guide with --guide-margin. Received: --guide-margin {args.guide_margin}")
    if args.guide:
        for name in ("margin", "response_network"):
            if getattr(args, name) is not None:
                raise ValueError(f"Expected no {training_options.option(name)} beside --guide, which ranks without one")
        find_model(args.guide, EMBEDDER)


def check_start(args: argparse.Namespace, given: Config) -> None:
    """`ValueError` for a start from least squares that has no teacher, or another encoder."""
    if args.least_squares_start and not (_teachers(given) and args.token_weights):
        raise ValueError("Expected --teacher and --token-weights with --least-squares-start")


def _teachers(given):
    return [name for name in given if name.startswith("teacher")]
