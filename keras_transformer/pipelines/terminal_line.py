"""Progress of a long call, on a line of the terminal that is overwritten."""

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def terminal_line() -> Iterator[Callable[[str], None]]:
    """Gives a function that shows a text on standard error, over the one before; at the end the line is cleared.

    Where standard error is no terminal, the function does nothing.
    """
    shown = [""]

    def show(text):
        if sys.stderr is not None and sys.stderr.isatty():
            print("\r" + text.ljust(len(shown[0])), end="", file=sys.stderr, flush=True)
            shown[0] = text

    try:
        yield show
    finally:
        if shown[0]:
            show("")
            print("\r", end="", file=sys.stderr, flush=True)
