"""`kill -9` in the middle of a training, and the same command once more."""

import os
import signal
import subprocess

import numpy as np
import pytest

from tests.integration.processes import history, start_command
from tests.integration.small_trainings import KINDS, arguments, figures, killed, write_files

# What random numbers decide.
RANDOM = {
    "translator": ["--subwords", "bpe", "--bpe-dropout", 0.1, "--bidirectional-epochs", 1, "--consistency", 1.0],
    "embedder": ["--response-network", 4],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_training_ends_as_the_unbroken_one(kind, tmp_path):
    """Killed in the middle of writing the second checkpoint, when the model and the history are already written."""
    command = [*arguments(kind, write_files(tmp_path)), *RANDOM[kind], "--dropout", 0.3, "--ema", 0.9]
    command += ["--deterministic", "--out"]
    unbroken = start_command(*command, tmp_path / "unbroken", stdout=subprocess.DEVNULL)
    start, environment = killed("checkpoint 2")
    done = subprocess.run(
        [*start, *map(str, command), tmp_path / "killed"], env={**os.environ, **environment}, check=False
    )
    assert done.returncode == -signal.SIGKILL and len(history(tmp_path / "killed")) == 2
    assert start_command(*command, tmp_path / "killed").wait() == 0
    assert unbroken.wait() == 0
    wanted = figures(history(tmp_path / "unbroken"))
    assert len(wanted) == 3
    np.testing.assert_allclose(figures(history(tmp_path / "killed")), wanted, rtol=0, atol=1e-4)
    assert not list((tmp_path / "killed").glob(".unfinished*"))
