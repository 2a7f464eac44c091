"""The options that all trainings share, and what they do."""

import argparse
import dataclasses
import os
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, TypeVar

from keras_transformer import arguments
from keras_transformer.cli import lost_worker
from keras_transformer.models.presets import PRESETS
from keras_transformer.training.names import CHECKPOINT

Recipe = TypeVar("Recipe")
# {field or constructor argument: type, help}
Fields: TypeAlias = dict[str, tuple[type, str]]
Group: TypeAlias = Any  # argparse's own has no public name

# Fields of recipes and constructor arguments of models that have an option of their own: type, help.
OPTIMIZATION = {
    "steps": (int, "at most; the length of the linear schedule"),
    "evaluation_steps": (int, "evaluation interval"),
    "optimizer": (str, "muon makes the matrices' updates orthogonal"),
    "schedule": (str, "of the learning rate"),
    "learning_rate": (float, "the peak"),
    "warmup_steps": (int, "until the peak"),
    "clip_norm": (float, "largest norm of the gradient"),
    "ema": (float, "decay of the weights' moving average"),
    "average_last": (int, "save the mean of the weights after so many last evaluation intervals"),
    "patience": (int, "stop after so many evaluations without a better one"),
}
MODEL = {
    "hidden_dim": (int, "width"),
    "intermediate_dim": (int, "width of the feed-forward networks"),
    "num_heads": (int, ""),
    "dropout": (float, ""),
}
NORM_FIRST = {"norm_first": "pre-norm instead of post-norm"}
_CHOICES = {
    "preset": list(PRESETS),
    "subwords": ["unigram", "bpe"],
    "optimizer": ["adam", "muon"],
    "schedule": ["inverse_sqrt", "linear", "noam"],
}


def option(name: str) -> str:
    """The option of a field or an argument."""
    return f"--{name.replace('_', '-')}"


def add_recipe(
    parser: argparse.ArgumentParser,
    fields: Fields,
    recipe: Any,
    choices: dict[str, list[str]],
    description: str | None = None,
    default: str = "default",
) -> Group:
    """Adds an option for each of the fields of a recipe, whose values `--help` shows; returns their group."""
    group = parser.add_argument_group("recipe", description)
    for name, (kind, text) in fields.items():
        text = f"{text} ({default}: {getattr(recipe, name)})".lstrip()
        group.add_argument(option(name), type=kind, choices={**_CHOICES, **choices}.get(name), help=text)
    return group


def add_byte_fallback(group: Group) -> None:
    """Adds the option of a vocabulary of subwords that has no unknown characters."""
    group.add_argument(
        "--byte-fallback",
        action="store_true",
        default=None,
        help="characters without an id of their own are tokenized as bytes, and come through unchanged",
    )


def add_model(parser: argparse.ArgumentParser, fields: Fields, flags: dict[str, str]) -> Group:
    """Adds an option for each constructor argument of a model, with a value and without; returns their group."""
    group = parser.add_argument_group("model", "Instead of what the preset says.")
    for name, (kind, text) in fields.items():
        group.add_argument(option(name), type=kind, help=text or None)
    for name, text in flags.items():
        group.add_argument(option(name), action="store_true", default=None, help=text)
    return group


def add_machine(parser: argparse.ArgumentParser) -> Group:
    """Adds the options of where and how long to train; returns their group."""
    group = parser.add_argument_group("machine")
    group.add_argument("--minutes", type=float, help="stop after this time")
    group.add_argument(
        "--dtype",
        default="float32",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
        help="mixed_bfloat16 is faster on processors with bfloat16 instructions and on accelerators",
    )
    group.add_argument(
        "--checkpoint-minutes", type=float, default=5.0, help="checkpoint interval, minutes (default: %(default)s)"
    )
    group.add_argument(
        "--distribution",
        default="auto",
        choices=("auto", "none", "mirrored", "workers"),
        help="mirrored: all GPUs of this machine; workers: several processes, named by TF_CONFIG or started by srun",
    )
    group.add_argument("--seed", type=int, default=0)
    group.add_argument("--deterministic", action="store_true", help="the same operations give the same bits; slower")
    return group


def changed_recipe(recipe: Recipe, args: argparse.Namespace, fields: Iterable[str], model: Iterable[str]) -> Recipe:
    """`recipe` with the options that were given in their places."""
    given = {name: getattr(args, name) for name in fields if getattr(args, name) is not None}
    if given.get("schedule") == "noam":
        given.setdefault("learning_rate", None)
    # One of the two replaces the other.
    if "ema" in given:
        given.setdefault("average_last", None)
    elif "average_last" in given:
        given["ema"] = 0.0
    model = {name: getattr(args, name) for name in model if getattr(args, name) is not None}
    return dataclasses.replace(recipe, model={**recipe.model, **model}, **given)


def check_output(args: argparse.Namespace, name: str) -> None:
    """Refuses a model that no checkpoint belongs to, and checks how long to train."""
    if args.minutes is not None:
        arguments.positive_number("minutes", args.minutes)
    path = os.path.join(args.out, name)
    if os.path.exists(path) and not os.path.exists(os.path.join(args.out, CHECKPOINT)):
        raise FileExistsError(f"Expected an --out without a {name}. Received: {path} exists")


def run(args: argparse.Namespace, train: Callable[..., None]) -> None:
    """Calls `train` with what the options of the machine say, and begins again when another worker is lost."""
    import keras
    import tensorflow as tf

    from keras_transformer.training import make_strategy

    strategy = make_strategy(args.distribution)
    keras.utils.set_random_seed(args.seed)
    if args.deterministic:
        tf.config.experimental.enable_op_determinism()
    names = ("dtype", "minutes", "seed", "checkpoint_minutes", "tensorboard")
    try:
        train(strategy=strategy, **{name: getattr(args, name) for name in names})
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.InternalError) as error:
        if not (args.is_own_process and isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)):
            raise
        lost_worker.begin_again(error, os.path.join(args.out, CHECKPOINT))
