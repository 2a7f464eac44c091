"""`kill -9` in the middle of a training, and the same command once more."""

import random
import signal
import time

import numpy as np
import pytest

from tests import made_data
from tests.integration.processes import history, start_command

EPOCHS = 5


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resume")
    for name, count, seed in (("train", 400, 1), ("valid", 40, 2)):
        for side, lines in zip(("source", "target"), made_data.pairs(count, seed)):
            (folder / f"{name}.{side}").write_text("\n".join(lines) + "\n")
    return [
        "train", "translator", "--source", folder / "train.source", "--target", folder / "train.target",
        "--validation-source", folder / "valid.source", "--validation-target", folder / "valid.target",
        "--num-layers", 1, "--hidden-dim", 16, "--intermediate-dim", 32, "--dropout", 0.3, "--vocabulary-size", 80,
        "--subwords", "bpe", "--bpe-dropout", 0.1, "--bidirectional-epochs", 1, "--ema", 0.9, "--clip-norm", 1.0,
        "--micro-batches", 2, "--consistency", 1.0, "--epochs", EPOCHS, "--tokens-per-batch", 128,
        "--max-length", 64, "--warmup-steps", 10, "--checkpoint-minutes", 0, "--monitor", "bleu",
        "--deterministic",
    ]  # fmt: skip


def test_a_killed_training_ends_as_the_unbroken_one(arguments, tmp_path):
    assert start_command(*arguments, "--out", tmp_path / "unbroken").wait() == 0
    wanted = history(tmp_path / "unbroken")
    assert len(wanted) == EPOCHS

    folder = tmp_path / "killed"
    moments = random.Random(3)
    for _ in range(3):
        process = start_command(*arguments, "--out", folder)
        state = folder / "training-state"
        before = state.stat().st_mtime_ns if state.exists() else None
        while process.poll() is None and (not state.exists() or state.stat().st_mtime_ns == before):
            time.sleep(0.02)
        time.sleep(moments.uniform(0, 1.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(history(folder)) < EPOCHS  # it was cut off, not done
    assert start_command(*arguments, "--out", folder).wait() == 0
    got = history(folder)
    for column in ("loss", "val_loss", "val_bleu"):
        np.testing.assert_allclose(
            [float(row[column]) for row in got], [float(row[column]) for row in wanted], rtol=0, atol=1e-4
        )
    assert not list(folder.glob(".unfinished*"))
