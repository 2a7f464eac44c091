import contextlib
import json
import os
import time

import keras
import numpy as np

from keras_transformer import arguments
from keras_transformer.atomic import remove_unfinished
from keras_transformer.training.fingerprints import differences
from keras_transformer.training.training_log import TrainingLog
from keras_transformer.training.training_state import read_training_state, write_training_state

_STATE = "training-state"


class TrainingRun:
    """A training that survives a kill at any moment: rounds of steps, each validated, with its state on disk.

    Killed and started again with the same arguments, it goes on at the step of the last state: weights, optimizer,
    schedule, random states, position in the data, averages, history and early stopping come back, so that it ends as it
    would have ended unbroken (exactly so where the operations are deterministic). Steps since the last
    state are taken again.

    A round is an epoch, or a number of steps. With several workers each makes the same calls; the first one (the chief)
    validates, saves and logs while the others wait. The folder must be one that all of them see.

    Args:
        loop: a `TrainingLoop`, or the like. One with `get_state` and `set_state`, to and from what JSON can hold, gets
            its state back.
        batches_of_epoch: a function from the number of an epoch to its batches; nothing else may decide them.
        folder: for the state and the snapshots.
        epochs: at most, or `None`.
        steps: at most, or `None`.
        steps_per_round: by default a round is an epoch.
        average_last: with a number n, what is validated and saved is the mean of the weights at the ends of the last n
            rounds. Otherwise it is the optimizer's moving average, if it keeps one.
        validate: a function without arguments to a dictionary of logs, called with those weights.
        callbacks: Keras callbacks, called for each step and round (as an epoch). A callback with `get_state` and
            `set_state`, to and from what JSON can hold, gets its state back.
        minutes: stop after this time, that of earlier starts included.
        minutes_between_states: a state is also written at the end of each round.
        description: what JSON can hold: a state with another description is refused.

    Raises:
        ValueError: for numbers out of range, and without `epochs`, `steps` and `minutes`.
    """

    def __init__(
        self,
        loop,
        batches_of_epoch,
        folder,
        *,
        epochs=None,
        steps=None,
        steps_per_round=None,
        average_last=None,
        validate=dict,
        callbacks=(),
        minutes=None,
        minutes_between_states=5.0,
        description=None,
    ):
        self.loop = loop
        self.batches_of_epoch = batches_of_epoch
        self.folder = os.fspath(folder)
        self.epochs = arguments.optional_positive_integer("epochs", epochs)
        self.steps = arguments.optional_positive_integer("steps", steps)
        self.steps_per_round = arguments.optional_positive_integer("steps_per_round", steps_per_round)
        self.average_last = arguments.optional_positive_integer("average_last", average_last)
        self.validate = validate
        self.minutes = None if minutes is None else arguments.positive_number("minutes", minutes)
        if epochs is None and steps is None and minutes is None:
            raise ValueError("Expected a number of epochs, steps or minutes. Received: none of them")
        self.minutes_between_states = arguments.non_negative_number("minutes_between_states", minutes_between_states)
        self.description = json.loads(json.dumps(description))
        self.callbacks = list(callbacks) if loop.is_chief else []
        self._progress = {
            "epoch": 0,
            "step_of_epoch": 0,
            "step": 0,
            "round": 0,
            "step_of_round": 0,
            "loss": 0.0,
            "tokens": 0.0,
            "seconds": 0.0,
            "snapshots": [],
            "history": [],
            "loop": None,
            "callbacks": [],
            "description": self.description,
        }
        self._failure = None

    @property
    def state_path(self):
        """The file with the state."""
        return os.path.join(self.folder, _STATE)

    @property
    def history(self):
        """The logs of each round so far: a list of dictionaries."""
        return self._progress["history"]

    def run(self, verbose=1):
        """Trains to the end.

        Args:
            verbose: 1 to print a line for each round and how far the run is in between; 2 for the lines alone; 0 for
                nothing.

        Returns:
            The history.

        Raises:
            ValueError: for a state that is damaged or of another run; for an epoch without batches.
            Exception: whatever validation, callbacks and writing raised in the first worker; in the others `OSError`.
        """
        if self.loop.is_chief:
            remove_unfinished(self.state_path, more=r"(-weights-\d+)?")
        goes_on = os.path.exists(self.state_path)
        if goes_on:
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
        self._in_round = False
        listeners.on_train_begin()
        try:
            is_finished = self._is_finished()
            if goes_on:
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
        """The rest of an epoch; counts it unless something else ended it."""
        now = self._progress
        self._begin_round(listeners)
        for loss, tokens in self.loop.steps(self.batches_of_epoch(now["epoch"]), now["step_of_epoch"]):
            now["step"] += 1
            now["step_of_epoch"] += 1
            now["step_of_round"] += 1
            now["loss"] += loss * tokens
            now["tokens"] += tokens
            listeners.on_train_batch_end(now["step_of_round"] - 1, {"loss": self._mean_loss()})
            self._log.step(now["step"], now["epoch"] + 1, self._mean_loss())
            if self.steps_per_round and now["step"] % self.steps_per_round == 0:
                self._end_round(listeners)
            if self._is_finished():
                break
            self._begin_round(listeners)
            if time.monotonic() - self._saved > 60 * self.minutes_between_states:
                self._saved = time.monotonic()
                self._on_chief(self._save)
        else:
            if not now["step_of_epoch"]:
                raise ValueError(f"Expected batches in epoch {now['epoch']}. Received: none")
            now["epoch"] += 1
            now["step_of_epoch"] = 0
            if self.steps_per_round and not self._is_finished():
                return  # the round goes on
        if now["tokens"]:
            self._end_round(listeners)

    def _say_where(self, is_finished):
        """After a state was read."""
        now = self._progress
        place = self._log.place(now["step"], now["epoch"] + (now["step_of_epoch"] > 0 or not is_finished))
        self._log.say(f"Nothing left to train: ended at {place}" if is_finished else f"Going on at {place}")

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

    def _begin_round(self, listeners):
        if not self._in_round:
            listeners.on_epoch_begin(self._progress["round"])
            self._in_round = True

    def _end_round(self, listeners):
        now = self._progress
        self._in_round = False
        self._on_chief(self._validate, listeners)
        now["round"] += 1
        now["step_of_round"] = 0
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
            listeners.on_epoch_end(self._progress["round"], logs)
        now = self._progress
        self._log.round(now["step"], now["epoch"] + (now["step_of_epoch"] > 0), self.history[-1])

    def _mean_loss(self):
        now = self._progress
        return now["loss"] / now["tokens"] if now["tokens"] else 0.0

    @contextlib.contextmanager
    def _averaged_weights(self):
        if not self.average_last:
            with self.loop.averaged_weights():
                yield
            return
        variables = self.loop.model.trainable_variables
        snapshots = self._progress["snapshots"]
        path = f"{self.state_path}-weights-{self._progress['step']}"
        write_training_state(path, variables, None)
        current = [variable.numpy() for variable in variables]
        sums = [np.zeros_like(value, "float64") for value in current]
        name = os.path.basename(path)
        snapshots[:] = [*(other for other in snapshots if other != name), name][-self.average_last :]
        try:
            for name in snapshots:
                read_training_state(os.path.join(self.folder, name), variables)
                sums = [total + variable.numpy() for total, variable in zip(sums, variables)]
            for variable, total in zip(variables, sums):
                variable.assign(total / len(snapshots))
            yield
        finally:
            for variable, value in zip(variables, current):
                variable.assign(value)

    def _save(self):
        self._saved = time.monotonic()
        states = [callback.get_state() if hasattr(callback, "get_state") else None for callback in self.callbacks]
        of_loop = self.loop.get_state() if hasattr(self.loop, "get_state") else None
        progress = {**self._progress, "loop": of_loop, "callbacks": states, "seconds": self._seconds()}
        write_training_state(self.state_path, self.loop.variables, progress)
        for name in os.listdir(self.folder):
            if name.startswith(f"{_STATE}-weights-") and name not in progress["snapshots"]:
                os.remove(os.path.join(self.folder, name))

    def _restore(self):
        def accept(progress):
            if progress["description"] != self.description:
                raise ValueError(
                    f"Expected the same arguments as those of the training in {self.state_path}, or another folder. "
                    f"Received: {'; '.join(differences(self.description, progress['description']))}"
                )

        progress = read_training_state(self.state_path, self.loop.variables, accept)
        for callback, state in zip(self.callbacks, progress["callbacks"]):
            if state is not None:
                callback.set_state(state)
        if progress.get("loop") is not None:
            self.loop.set_state(progress["loop"])
        self._progress = progress

    def _seconds(self):
        return self._progress["seconds"] + time.monotonic() - self._started
