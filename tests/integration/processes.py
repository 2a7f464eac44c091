"""Fresh processes, as a user's are."""

import contextlib
import csv
import json
import os
import re
import socket
import subprocess
import sys


def run_python(script, *arguments):
    """Runs `script` in a new interpreter; it prints JSON as its last line, which is returned."""
    return run_file("-c", script, *arguments)


def run_file(path, *arguments):
    """As `run_python`, the Python program at `path`."""
    done = subprocess.run([sys.executable, *map(str, (path, *arguments))], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def run_command(*arguments, **kwargs):
    """Runs the command line; returns its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "keras_transformer", *map(str, arguments)],
        capture_output=True, text=True, check=False, **kwargs,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    noise = re.findall(r"^[IWE]\d{4} .*|.*deprecated.*", done.stderr, re.MULTILINE)  # of TensorFlow
    assert not noise, noise
    return done.stdout


def start_command(*arguments, **kwargs):
    """Starts the command line; returns the `Popen`."""
    return subprocess.Popen([sys.executable, "-m", "keras_transformer", *map(str, arguments)], **kwargs)


def cluster(num_workers):
    """The environment of each worker of a cluster on this machine."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(num_workers)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        workers = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    return [
        {
            **os.environ,
            "TF_CONFIG": json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}),
        }
        for index in range(num_workers)
    ]


def history(folder):
    """The rows of a training's history.csv so far."""
    if not (folder / "history.csv").exists():
        return []
    with open(folder / "history.csv") as file:
        return list(csv.DictReader(file))
