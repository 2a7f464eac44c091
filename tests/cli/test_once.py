import argparse

import pytest

from keras_transformer.cli.main import main
from keras_transformer.cli.once import Once


def test_a_second_value_is_refused(capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", action=Once, default="there")
    assert parser.parse_args([]).out == "there" and parser.parse_args(["--out", "a"]).out == "a"
    with pytest.raises(SystemExit):
        parser.parse_args(["--out", "a", "--out", "b"])
    assert "argument --out: expected once. Received: a and b" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command, option",
    [
        (["train", "translator"], "--out"),
        (["train", "embedder"], "--out"),
        (["evaluate", "translator"], "--hypotheses"),
        (["evaluate", "embedder"], "--model"),
        (["translate"], "--output"),
        (["embed"], "--output"),
        (["export"], "--model"),
        (["convert", "folder"], "--out"),
    ],
)
def test_a_file_that_is_given_twice_is_not_dropped(command, option, capsys):
    with pytest.raises(SystemExit):
        main([*command, option, "a", option, "b"])
    assert f"argument {option}: expected once. Received: a and b" in capsys.readouterr().err
