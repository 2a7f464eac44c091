"""Fresh processes, as a user's are."""

import json
import subprocess
import sys


def run_python(script, *arguments):
    """Runs `script` in a new interpreter; it prints JSON as its last line, which is returned."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def run_command(*arguments, **kwargs):
    """Runs the command line; returns its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "keras_transformer.cli.main", *map(str, arguments)],
        capture_output=True, text=True, check=False, **kwargs,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
