import sys

import pytest

from keras_transformer.training import training_log
from keras_transformer.training.training_log import TrainingLog


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on when it is told to."""
    now = [100.0]
    monkeypatch.setattr(training_log.time, "monotonic", lambda: now[0])
    return now


def steps(log, clock, count, seconds):
    for step in range(1, count + 1):
        clock[0] += seconds
        log.step(step, 1, 3.0)


def test_a_file_gets_a_line_a_minute_and_one_an_evaluation(clock, capsys):
    log = TrainingLog(steps=1000)
    steps(log, clock, 100, 2.0)
    log.evaluation(100, 1, {"loss": 2.5, "step": 100, "val_bleu": 1234.5, "minutes": 3.33, "tiny": 1.25e-5})
    assert capsys.readouterr().out.splitlines() == [
        "step 30 of 1,000: loss 3, 0.5 steps a second, 0:32:20 left",
        "step 60 of 1,000: loss 3, 0.5 steps a second, 0:31:20 left",
        "step 90 of 1,000: loss 3, 0.5 steps a second, 0:30:20 left",
        "step 100 of 1,000: loss 2.5, val_bleu 1,234, minutes 3.33, tiny 1.25e-05",
    ]


def test_a_terminal_has_one_line_that_is_written_over(clock, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    log = TrainingLog(epochs=20)
    steps(log, clock, 2, 2.0)
    log.evaluation(2, 1, {"loss": 2.5})
    steps(log, clock, 1, 2.0)
    log.close()
    shown = capsys.readouterr().out
    first = "epoch 1 of 20, step 1: loss 3, 0.5 step"
    assert shown.startswith(first + "\r" + first.replace("step 1", "step 2") + "\repoch 1 of 20, step 2: loss 2.5 ")
    assert shown.count("\n") == 2 and shown.endswith("\n") and "\x1b" not in shown


def test_quieter(clock, capsys):
    for verbose in (0, 2):
        log = TrainingLog(verbose)
        steps(log, clock, 100, 2.0)
        log.evaluation(100, 1, {"loss": 2.5})
    assert capsys.readouterr().out == "step 100: loss 2.5\n"
