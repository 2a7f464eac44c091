import pytest

from keras_transformer.cli import progress
from keras_transformer.cli.progress import Progress


@pytest.fixture
def seconds(monkeypatch):
    """What the clock says, in a list."""
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    return clock


def test_sentences_are_counted_on_one_line(seconds, capsys):
    with Progress(True, 3000) as shown:
        seconds[0] += 4
        shown.advance(1000)
        shown.advance(1000)
    first, second = capsys.readouterr().err.split("\r")
    assert first == "1,000 of 3,000 sentences, 250.0 a second, 0:00:08 left"
    assert second == "2,000 of 3,000 sentences, 500.0 a second, 0:00:02 left\n"


def test_messages_stand_on_lines_of_their_own(seconds, capsys):
    with Progress(True) as shown:
        shown.say("first")
        seconds[0] += 2
        shown.advance(3)
        shown.say("cut")
    lines = capsys.readouterr().err.split("\n")
    assert lines[0] == "keras-transformer: first"
    assert lines[1].split("\r")[0] == "3 sentences, 1.5 a second"
    assert lines[1].split("\r")[1].rstrip() == "keras-transformer: cut"
    assert lines[2:] == ["3 sentences, 1.5 a second", ""]


def test_nothing_is_shown_unasked(capsys):
    with Progress(False, 3) as shown:
        shown.advance(3)
    assert capsys.readouterr().err == ""
