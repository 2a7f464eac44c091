import os
import sys

import pytest

from keras_transformer.cli.lost_worker import begin_again


def test_a_worker_begins_again_as_it_was_started(monkeypatch, tmp_path):
    begun = []
    monkeypatch.setattr(os, "execv", lambda *started: begun.append(started))
    monkeypatch.setattr(sys, "argv", ["keras-transformer", "train", "translator"])
    monkeypatch.setenv("KERAS_TRANSFORMER_RESTARTS", "0 0")
    begin_again(OSError("lost"), str(tmp_path / "state"))
    # A module of the package would import Keras before standard error is filtered.
    assert begun == [(sys.executable, [sys.executable, "-m", "keras_transformer", "train", "translator"])]
    assert os.environ["KERAS_TRANSFORMER_RESTARTS"] == "1 0"


def test_a_worker_that_gets_nowhere_gives_up(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_TRANSFORMER_RESTARTS", "5 0")
    with pytest.raises(OSError, match="Another worker was lost 6 times since the last checkpoint: lost"):
        begin_again(OSError("lost"), str(tmp_path / "state"))
