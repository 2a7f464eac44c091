"""The command line: parse, then call the library."""

import argparse
import contextlib
import sys
from collections.abc import Callable

from keras_transformer import quiet
from keras_transformer.cli import (
    attention,
    convert,
    demo,
    distill,
    embed,
    evaluate,
    export,
    index,
    mine,
    score,
    search,
    standard_streams,
    train,
    translate,
)
from keras_transformer.version import __version__


def main(arguments: list[str] | None = None, before_running: Callable[[], None] = lambda: None) -> int:
    """Runs one command.

    Args:
        arguments: list of `str`; by default those of the process.
        before_running: called when the arguments have been checked.

    Returns:
        The exit status: 0; 1 for faults of the input, with a message on standard error; 130 when interrupted.
    """

    def run(parsed):
        if parsed.is_own_process:
            quiet.filter_standard_error()
        before_running()
        parsed.run(parsed)

    return _status(arguments, run)


def check() -> int:
    """As `main`, without running the command: 0 if the arguments of the process are right."""
    return _status(None, lambda parsed: None)


def _status(arguments, run):
    """Parses and checks arguments, calls `run` with them, and gives the exit status."""
    is_own_process = arguments is None
    if is_own_process:
        standard_streams.prepare()
    parsed = _parsed(_parser(), arguments)
    parsed.is_own_process = is_own_process
    try:
        parsed.check(parsed)
        run(parsed)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError, ImportError) as error:
        return _fail(error)
    return 0


def _parsed(parser, arguments):
    """As `parse_args`, but a command's `last_argument` takes texts behind options, too; argparse has all or none."""
    parsed, others = parser.parse_known_args(arguments)
    if others and (parsed.last_argument is None or any(other.startswith("-") for other in others)):
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    if others:
        getattr(parsed, parsed.last_argument).extend(others)
    return parsed


def _parser():
    parser = argparse.ArgumentParser(
        prog="keras-transformer", description="Train, try and ship Transformers in Keras 3."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.set_defaults(last_argument=None)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (
        demo, train, evaluate, translate, attention, embed, index, search, score, mine, distill, convert, export
    ):  # fmt: skip
        module.add_parser(commands)
    return parser


def _fail(error):
    """Says what went wrong; gives the exit status."""
    if standard_streams.is_gone(error):
        return 0
    with contextlib.suppress(OSError):  # nobody reads that either
        print(f"keras-transformer: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
