"""The command line: parse, then call the library."""

import argparse
import os
import sys

from keras_transformer.cli import attention, convert, demo, embed, evaluate, export, train, translate


def main(arguments=None):
    """Runs one command.

    Args:
        arguments: list of `str`; by default those of the process.

    Returns:
        The exit status: 0; 1 where the input is at fault, with the message on standard error; 130 when interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="keras-transformer", description="Train, try and ship Transformers in Keras 3."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (demo, train, evaluate, translate, attention, embed, convert, export):
        module.add_parser(commands)
    parsed = parser.parse_args(arguments)
    parsed.is_own_process = arguments is None
    try:
        parsed.run(parsed)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away, as `head` does; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError, ImportError) as error:
        print(f"keras-transformer: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
