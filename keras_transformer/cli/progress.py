"""The progress of a long run: one line on standard error."""

import contextlib
import datetime
import sys
import time


class Progress:
    """Counts sentences on a line that is overwritten, and prints other messages above it.

    Args:
        shown: whether to show the line.
        total: the number of sentences, if it is known.
    """

    def __init__(self, shown: bool, total: int | None = None):
        self._shown = shown
        self._total = total
        self._done = 0
        self._width = 0  # of what stands on the line
        self._started = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            _show("\n")

    def advance(self, count: int) -> None:
        """Counts `count` more sentences."""
        self._done += count
        self._draw()

    def say(self, message: str) -> None:
        """Prints a message on a line of its own."""
        self._write(f"keras-transformer: {message}")
        _show("\n")
        self._width = 0
        self._draw()

    def _draw(self):
        if not self._shown or not self._done:
            return
        rate = self._done / max(time.monotonic() - self._started, 1e-9)
        line = f"{self._done:,} sentences, {rate:,.1f} a second"
        if self._total is not None:
            left = datetime.timedelta(seconds=round((self._total - self._done) / rate))
            line = f"{self._done:,} of {self._total:,} sentences, {rate:,.1f} a second, {left} left"
        self._write(line)
        self._width = len(line)

    def _write(self, line):
        start = "\r" if self._width else ""
        _show(start + line.ljust(self._width))


def _show(text):
    """Writes to standard error; the work goes on if nobody reads there."""
    with contextlib.suppress(OSError):
        print(text, end="", file=sys.stderr, flush=True)
