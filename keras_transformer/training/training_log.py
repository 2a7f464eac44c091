"""What a training prints: figures for a person who watches, or for a file."""

import datetime
import shutil
import sys
import time

from keras_transformer.types import Logs

_SECONDS_BETWEEN_LINES = 60.0


class TrainingLog:
    """Lines on standard output: one for each evaluation, and how far the training is in between.

    On a terminal the latter is one line that is written over again and again. Elsewhere, as in a file, it comes at
    most once a minute.

    Args:
        verbose: 1; 2 for the lines of evaluations alone; 0 for none at all.
        epochs: how many there will be at most, or `None`.
        steps: the same of steps.

    Example:
        >>> from keras_transformer.training.training_log import TrainingLog
        >>> TrainingLog(epochs=3).evaluation(10, 1, {"loss": 2.5})
        epoch 1 of 3, step 10: loss 2.5
    """

    def __init__(self, verbose: int = 1, epochs: int | None = None, steps: int | None = None):
        self.verbose = verbose
        self.epochs = epochs
        self.steps = steps
        self._width = 0  # of what stands on the line that is written over
        self._begun = self._last = time.monotonic()
        self._count = 0

    def say(self, text: str) -> None:
        """Prints a line."""
        if self.verbose:
            self._write(text, "\n")
            self._width = 0

    def step(self, step: int, epoch: int, loss: float) -> None:
        """Says, if it is time to, how far the training is: after a step of an epoch (from 1), with this loss."""
        self._count += 1
        if self.verbose != 1:
            return
        now = time.monotonic()
        is_terminal = sys.stdout.isatty()
        if now - self._last < (0.1 if is_terminal else _SECONDS_BETWEEN_LINES):
            return
        self._last = now
        text = f"{self.place(step, epoch)}: loss {_number(loss)}, {self._rate(step, now)}"
        if not is_terminal:
            self.say(text)
            return
        text = text[: shutil.get_terminal_size().columns - 1]
        self._write(text, "")
        self._width = len(text)

    def evaluation(self, step: int, epoch: int, logs: Logs) -> None:
        """Prints the figures of an evaluation after a step, in an epoch."""
        figures = ", ".join(f"{name} {_number(value)}" for name, value in logs.items() if name != "step")
        self.say(f"{self.place(step, epoch)}: {figures}")
        self._last = time.monotonic()

    def place(self, step: int, epoch: int) -> str:
        """A step, and an epoch if they are counted, in words, with their totals if there are any."""
        of_epoch = f"epoch {epoch:,} of {self.epochs:,}, " if self.epochs else ""
        of_step = f" of {self.steps:,}" if self.steps else ""
        return f"{of_epoch}step {step:,}{of_step}"

    def close(self) -> None:
        """Ends the line that would be written over."""
        if self._width:
            print(flush=True)
            self._width = 0

    def _rate(self, step, now):
        rate = self._count / max(now - self._begun, 1e-9)
        if not self.steps or self.epochs:
            return f"{rate:,.1f} steps a second"
        left = datetime.timedelta(seconds=round((self.steps - step) / rate))
        return f"{rate:,.1f} steps a second, {left} left"

    def _write(self, text, end):
        print(("\r" if self._width else "") + text.ljust(self._width), end=end, flush=True)


def _number(value):
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
