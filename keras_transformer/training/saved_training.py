import os

from keras_transformer.atomic import remove_unfinished
from keras_transformer.training.callbacks import HistoryFile, SaveBest
from keras_transformer.training.training_run import TrainingRun


def check_patience(recipe, validation):
    """`ValueError` for a recipe that waits for a better round where nothing says which is better."""
    if recipe.patience and validation is None:
        raise ValueError(f"Expected validation data for patience. Received: patience={recipe.patience} without any")


def run_and_save(
    pipeline,
    loop,
    batches_of_epoch,
    path,
    recipe,
    *,
    monitor=None,
    higher_is_better=False,
    tensorboard=None,
    verbose=1,
    **options,
):
    """A `TrainingRun` by a recipe's `Optimization`, which saves the best round's pipeline and a history.csv beside it.

    Args:
        pipeline: what is saved: a `Translator` or a `TextEmbedder` around the loop's model.
        loop: what the run drives.
        batches_of_epoch: of the `TrainingRun`.
        path: the `.keras` file; the state of the run lies beside it.
        recipe: an `Optimization`.
        monitor: the figure of a round that chooses the best one, or `None`: the last one counts.
        higher_is_better: whether that figure should rise.
        tensorboard: folder for TensorBoard's event files, or `None`.
        verbose: of `TrainingRun.run`.
        **options: of the `TrainingRun`.

    Returns:
        The history: a dictionary of figures for each round.

    Raises:
        ValueError: for a state that is damaged or of other arguments; if no round had a finite figure, so that
            nothing was saved.
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
    if loop.is_chief and not save.has_saved:
        values = [logs.get(monitor, logs["loss"]) for logs in history]
        raise ValueError(f"Expected a finite loss. Received: {monitor or 'loss'}={values}; nothing is saved")
    if loop.is_chief and not os.path.exists(path):
        raise FileNotFoundError(f"Expected the model of this finished training. Received: {path} is gone")
    return history
