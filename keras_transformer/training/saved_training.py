import contextlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import keras

from keras_transformer.atomic import remove_unfinished
from keras_transformer.training.callbacks import HistoryFile, SaveBest
from keras_transformer.training.optimization import Optimization
from keras_transformer.training.training_run import TrainingRun
from keras_transformer.types import PathLike

if TYPE_CHECKING:
    from keras_transformer.training.trainer import Trainer


def check_patience(recipe: Optimization, validation: Any) -> None:
    """`ValueError` for a recipe that waits for a better evaluation where nothing says which is better."""
    if recipe.patience and validation is None:
        raise ValueError(f"Expected validation data for patience. Received: patience={recipe.patience} without any")


def run_and_save(
    pipeline: keras.Model,
    loop: "Trainer",
    batches_of_epoch: Callable[[int], Iterable],
    path: PathLike,
    recipe: Optimization,
    *,
    monitor: str | None = None,
    higher_is_better: bool = False,
    tensorboard: str | None = None,
    verbose: int = 1,
    stacklevel: int = 2,
    **options: Any,
) -> list[dict[str, float]]:
    """A `TrainingRun` by a recipe's `Optimization`, which saves the best pipeline and a history.csv beside it.

    Args:
        pipeline: what is saved: a `Translator` or an embedder around the loop's model.
        loop: the `Trainer` that the run drives.
        batches_of_epoch: of the `TrainingRun`.
        path: the `.keras` file; the checkpoint of the run lies beside it.
        recipe: an `Optimization`.
        monitor: the figure that chooses the best evaluation, or `None`: the last one counts.
        higher_is_better: whether that figure should rise.
        tensorboard: folder for TensorBoard's event files, or `None`.
        verbose: of `TrainingRun.run`.
        stacklevel: of warnings, 2 for the caller of what calls this.
        **options: of the `TrainingRun`.

    Returns:
        The history: a dictionary of figures for each evaluation.

    Raises:
        ValueError: for a checkpoint that is damaged or of other arguments; if no evaluation had a finite figure, so
            that nothing was saved.
        FileNotFoundError: if the training had ended before, and its file is gone.
    """
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    if loop.is_chief:
        remove_unfinished(path)
    save = SaveBest(pipeline, path, monitor, higher_is_better, recipe.patience)
    callbacks = [save, HistoryFile(os.path.join(folder, "history.csv"))]
    if tensorboard is not None:
        from keras_transformer.training.tensorboard_scalars import TensorBoardScalars

        callbacks.append(TensorBoardScalars(tensorboard))
    history = TrainingRun(
        loop,
        batches_of_epoch,
        folder,
        steps=recipe.steps,
        average_last=recipe.average_last,
        callbacks=callbacks,
        **options,
    ).run(verbose)
    if loop.is_chief:
        _warn_of_warmup(history, recipe, stacklevel + 2)
        if not save.has_saved:
            values = [logs.get(monitor, logs["loss"]) for logs in history]
            raise ValueError(f"Expected a finite loss. Received: {monitor or 'loss'}={values}; nothing is saved")
        if not os.path.exists(path):
            raise FileNotFoundError(f"Expected the model of this finished training. Received: {path} is gone")
    return history


def _warn_of_warmup(history, recipe, stacklevel):
    """For a training so short that the learning rate never came to its peak."""
    steps = int(history[-1]["step"]) if history else 0
    if 0 < steps < recipe.warmup_steps:
        warnings.warn(
            f"The training ended after {steps:,} steps, within its warm-up of {recipe.warmup_steps:,}: the learning "
            f"rate reached only {steps / recipe.warmup_steps:.0%} of its peak, and the model may have learnt little. "
            "Train for more steps or epochs, or with fewer warmup_steps",
            stacklevel=stacklevel,
        )


def say_nothing(*_: Any, **__: Any) -> None:
    """In place of `print`, on workers that are not the chief."""


@contextlib.contextmanager
def saying_what_was_written(path: PathLike, say: Callable[[str], None] = print) -> Iterator[None]:
    """Says whether the file at `path` was written meanwhile."""
    before = _identity(path)
    yield
    say(f"Wrote {path}" if _identity(path) != before else f"{path} stays as it is")


def _identity(path):
    """What another file at `path` would have otherwise; `None` if there is none."""
    if not os.path.exists(path):
        return None
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns
