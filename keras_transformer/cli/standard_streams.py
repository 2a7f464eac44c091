"""Standard input, output and error of the process, any of which may be closed, or break."""

import io
import os
import sys

_OUTPUT = "standard output"


def prepare() -> None:
    """Replaces closed streams, so that no file opened later gets their numbers; names errors of standard output."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    # What is closed is `None`. Messages are let go; `check_input` and `check_output` know where data would be.
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    else:
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(_Output(sys.stdout.fileno(), "w", closefd=False)),
            encoding=sys.stdout.encoding,
            errors="surrogateescape",  # names of files that are not UTF-8
            line_buffering=sys.stdout.line_buffering or sys.stdout.write_through,  # PYTHONUNBUFFERED
        )


def check_input(instead: str) -> None:
    """`ValueError` if standard input is closed; `instead` names what may be given in its place."""
    if sys.stdin is None:
        raise ValueError(f"Expected {instead} or standard input. Received: standard input is closed")


def check_output() -> None:
    """`ValueError` if standard output is closed."""
    if sys.__stdout__ is None:
        raise ValueError("Expected --output or standard output. Received: standard output is closed")


def is_gone(error: Exception) -> bool:
    """Whether an error says that nobody reads standard output any more: `head` does so when it has enough.

    After any error of standard output Python is kept from trying once more when it exits.
    """
    is_of_output = isinstance(error, OSError) and error.filename == _OUTPUT
    if is_of_output:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return is_of_output and isinstance(error, BrokenPipeError)


class _Output(io.FileIO):
    """Standard output, whose errors have a file name as those of a file do."""

    def write(self, data):
        try:
            return super().write(data)
        except OSError as error:
            error.filename = _OUTPUT
            raise
