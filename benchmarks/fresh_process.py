"""Runs Python in a fresh process, whose time is the result."""

import os
import subprocess
import sys
from collections.abc import Callable


def in_fresh_process(code: str, *arguments: object) -> Callable[[], None]:
    """A function that runs `code` in a fresh Python and returns `None`; an error there is an error here."""

    def run():
        quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TRANSFORMERS_VERBOSITY": "error"}
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, env=quiet, text=True
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])

    return run
