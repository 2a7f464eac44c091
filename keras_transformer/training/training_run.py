import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import keras

from keras_transformer import arguments
from keras_transformer.atomic import remove_unfinished
from keras_transformer.training import checkpoint
from keras_transformer.training.fingerprints import check_same
from keras_transformer.training.names import CHECKPOINT
from keras_transformer.training.training_log import TrainingLog
from keras_transformer.training.weight_snapshots import WeightSnapshots
from keras_transformer.types import Logs, PathLike

if TYPE_CHECKING:
    from keras_transformer.training.trainer import Trainer


class TrainingRun:
    """A training that survives a kill at any moment: steps, evaluated at intervals, with a checkpoint on disk.

    Killed and started again with the same arguments, it resumes at the step of the last checkpoint: weights, optimizer,
    schedule, random states, position in the data, averages, history and early stopping come back, so that it ends as it
    would have ended unbroken (exactly so where the operations are deterministic). Steps since the last checkpoint are
    taken again.

    The evaluation interval is an epoch, or a number of steps. With several workers each makes the same calls; the first
    one (the chief) validates, saves and logs while the others wait. The folder must be one that all of them see.

    Args:
        loop: a `Trainer`: a `TrainingLoop` or a `SentenceTrainingLoop`.
        batches_of_epoch: a function from the number of an epoch to its batches; nothing else may decide them.
        folder: for the checkpoint and the snapshots of weights.
        epochs: at most, or `None`.
        steps: at most, or `None`.
        evaluation_steps: the evaluation interval; by default an epoch.
        average_last: with a number n, what is validated and saved is the mean of the weights at the ends of the last n
            evaluation intervals. Otherwise it is the optimizer's moving average, if it keeps one.
        validate: a function without arguments to a dictionary of logs, called with those weights.
        callbacks: Keras callbacks, called for each step and evaluation interval (as an epoch). A callback with
            `get_state` and `set_state`, to and from what JSON can hold, gets its state back.
        minutes: stop after this time, that of earlier starts included.
        checkpoint_minutes: checkpoint interval; a checkpoint is also written after each evaluation.
        description: what JSON can hold: a checkpoint with another description is refused.

    Raises:
        ValueError: for numbers out of range, and without `epochs`, `steps` and `minutes`.

    Example:
        >>> import tensorflow as tf
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", keras.losses.MeanSquaredError())
        >>> batches = tf.data.Dataset.from_tensors((np.ones((4, 1)), np.ones((4, 1)))).repeat(3)
        >>> loop = keras_transformer.training.TrainingLoop(model)
        >>> run = keras_transformer.training.TrainingRun(loop, lambda epoch: batches, tmp_path, epochs=2)
        >>> [logs["step"] for logs in run.run(verbose=0)]
        [3, 6]
    """

    def __init__(
        self,
        loop: "Trainer",
        batches_of_epoch: Callable[[int], Iterable],
        folder: PathLike,
        *,
        epochs: int | None = None,
        steps: int | None = None,
        evaluation_steps: int | None = None,
        average_last: int | None = None,
        validate: Callable[[], Logs] = dict,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        minutes: float | None = None,
        checkpoint_minutes: float = 5.0,
        description: Any = None,
    ):
        self.loop = loop
        self.batches_of_epoch = batches_of_epoch
        self.folder = os.fspath(folder)
        self.epochs = arguments.optional_positive_integer("epochs", epochs)
        self.steps = arguments.optional_positive_integer("steps", steps)
        self.evaluation_steps = arguments.optional_positive_integer("evaluation_steps", evaluation_steps)
        average_last = arguments.optional_positive_integer("average_last", average_last)
        self.validate = validate
        self.minutes = None if minutes is None else arguments.positive_number("minutes", minutes)
        if epochs is None and steps is None and minutes is None:
            raise ValueError("Expected a number of epochs, steps or minutes. Received: none of them")
        self.checkpoint_minutes = arguments.non_negative_number("checkpoint_minutes", checkpoint_minutes)
        self.description = json.loads(json.dumps(description))
        self.callbacks = list(callbacks) if loop.is_chief else []
        self._snapshots = WeightSnapshots(f"{self.checkpoint_path}-weights-", average_last) if average_last else None
        counts = dict.fromkeys(("epoch", "step_of_epoch", "step", "evaluation", "step_of_interval"), 0)
        sums = dict.fromkeys(("loss", "tokens", "seconds"), 0.0)
        self._progress = {**counts, **sums, "history": []}
        self._failure = None

    @property
    def checkpoint_path(self) -> str:
        """The file with the checkpoint."""
        return os.path.join(self.folder, CHECKPOINT)

    @property
    def history(self) -> list[dict[str, float]]:
        """The logs of each evaluation so far."""
        return self._progress["history"]

    def run(self, verbose: int = 1) -> list[dict[str, float]]:
        """Trains to the end.

        Args:
            verbose: 1 to print a line for each evaluation, and progress in between; 2 for the lines alone; 0 for
                nothing.

        Returns:
            The history.

        Raises:
            ValueError: for a checkpoint that is damaged or of another training; for an epoch without batches.
            Exception: whatever validation, callbacks and writing raised in the first worker; in the others `OSError`.
        """
        if self.loop.is_chief:
            remove_unfinished(self.checkpoint_path, more=r"(-weights-\d+)?")
        resumes = os.path.exists(self.checkpoint_path)
        if resumes:
            self._restore()
        self._log = TrainingLog(verbose if self.loop.is_chief else 0, self.epochs, self.steps)
        listeners = keras.callbacks.CallbackList(
            self.callbacks,
            model=self.loop.model,
            verbose=verbose,
            epochs=self.epochs,
            steps=None,
        )
        self.loop.model.stop_training = False
        self._started = self._saved = time.monotonic()
        self._in_interval = False
        listeners.on_train_begin()
        try:
            is_finished = self._is_finished()
            if resumes:
                self._say_where(is_finished)
            while not is_finished:
                self._epoch(listeners)
                is_finished = self._is_finished()
        finally:
            self._log.close()
            listeners.on_train_end()
        if self.loop.any_worker(self._failure is not None):
            raise self._failure or OSError("The first worker failed; its own message says why")
        return self.history

    def _epoch(self, listeners):
        """The rest of an epoch."""
        now = self._progress
        self._begin_interval(listeners)
        for loss, tokens in self.loop.steps(self.batches_of_epoch(now["epoch"]), now["step_of_epoch"]):
            now["step"] += 1
            now["step_of_epoch"] += 1
            now["step_of_interval"] += 1
            now["loss"] += loss * tokens
            now["tokens"] += tokens
            listeners.on_train_batch_end(now["step_of_interval"] - 1, {"loss": self._mean_loss()})
            self._log.step(now["step"], now["epoch"] + 1, self._mean_loss())
            if self.evaluation_steps and now["step"] % self.evaluation_steps == 0:
                self._end_interval(listeners)
            if self._is_finished():
                break
            self._begin_interval(listeners)
            if time.monotonic() - self._saved > 60 * self.checkpoint_minutes:
                self._saved = time.monotonic()
                self._on_chief(self._save)
        else:
            if not now["step_of_epoch"]:
                raise ValueError(f"Expected batches in epoch {now['epoch']}. Received: none")
            now["epoch"] += 1
            now["step_of_epoch"] = 0
            if self.evaluation_steps and not self._is_finished():
                return  # the evaluation interval goes on
        if now["tokens"]:
            self._end_interval(listeners)

    def _say_where(self, is_finished):
        """After a checkpoint was read."""
        now = self._progress
        place = self._log.place(now["step"], now["epoch"] + (now["step_of_epoch"] > 0 or not is_finished))
        self._log.say(f"Nothing left to train: ended at {place}" if is_finished else f"Resuming at {place}")

    def _is_finished(self):
        """Whether to stop here, on which all workers agree."""
        now = self._progress
        reasons = (
            self._failure,
            self.epochs and now["epoch"] >= self.epochs,
            self.steps and now["step"] >= self.steps,
            self.minutes and self._seconds() > 60 * self.minutes,
            self.loop.model.stop_training,
        )
        return self.loop.any_worker(any(reasons))

    def _begin_interval(self, listeners):
        if not self._in_interval:
            listeners.on_epoch_begin(self._progress["evaluation"])
            self._in_interval = True

    def _end_interval(self, listeners):
        now = self._progress
        self._in_interval = False
        self._on_chief(self._validate, listeners)
        now["evaluation"] += 1
        now["step_of_interval"] = 0
        now["loss"] = now["tokens"] = 0.0
        self._on_chief(self._save)

    def _on_chief(self, work, *args):
        """Does what only the first worker does. If that fails, all of them stop after the step, and `run` raises."""
        if self.loop.is_chief and not self._failure:
            try:
                work(*args)
            except Exception as error:
                self._failure = error

    def _validate(self, listeners):
        logs = {"loss": self._mean_loss(), "step": self._progress["step"]}
        with self._averaged_weights():
            logs.update((name, float(value)) for name, value in self.validate().items())
            logs["minutes"] = round(self._seconds() / 60, 2)
            self.history.append(dict(logs))  # a copy, since callbacks may add to theirs
            listeners.on_epoch_end(self._progress["evaluation"], logs)
        now = self._progress
        self._log.evaluation(now["step"], now["epoch"] + (now["step_of_epoch"] > 0), self.history[-1])

    def _mean_loss(self):
        now = self._progress
        return now["loss"] / now["tokens"] if now["tokens"] else 0.0

    def _averaged_weights(self):
        if self._snapshots:
            return self._snapshots.averaged(self.loop.trainable(self.loop.heads), self._progress["step"])
        return self.loop.averaged_weights()

    def _save(self):
        self._saved = time.monotonic()
        snapshots = self._snapshots
        progress = {
            **self._progress,
            "format": checkpoint.FORMAT,
            "description": self.description,
            "seconds": self._seconds(),
            "snapshots": snapshots.steps if snapshots else [],
            "loop": self.loop.get_state(),
            "callbacks": [one.get_state() if hasattr(one, "get_state") else None for one in self.callbacks],
        }
        checkpoint.write_checkpoint(self.checkpoint_path, self.loop.variables, progress)
        if snapshots:
            snapshots.remove_others()

    def _restore(self):
        def accept(progress):
            checkpoint.check_format(self.checkpoint_path, progress)
            check_same(self.checkpoint_path, self.description, progress["description"])

        progress = checkpoint.read_checkpoint(self.checkpoint_path, self.loop.variables, accept)
        for callback, state in zip(self.callbacks, progress["callbacks"]):
            if state is not None:
                callback.set_state(state)
        if progress["loop"] is not None:
            self.loop.set_state(progress["loop"])
        if self._snapshots:
            self._snapshots.steps = progress["snapshots"]
        self._progress = {name: progress[name] for name in self._progress}

    def _seconds(self):
        return self._progress["seconds"] + time.monotonic() - self._started
