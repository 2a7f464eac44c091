import json

import numpy as np
import pytest

import keras_transformer
from keras_transformer.cli.main import main
from tests import made_data

FIRST, SECOND = made_data.pairs(16)
SMALL = ["--network-hidden-dim", "7", "--steps", "4", "--evaluation-steps", "2", "--batch-size", "4"]
MODEL = ["--num-layers", "1", "--hidden-dim", "12", "--num-heads", "2", "--intermediate-dim", "13"]
MODEL += ["--vocabulary-size", "100", "--output-dim", "6"]


def run(*arguments):
    return main(["train", "pair-scorer", *(str(argument) for argument in arguments)])


@pytest.fixture
def classes(write_lines):
    """Pairs of three classes."""
    rows = [f"{'abc'[number % 3]}\t{one}\t{other}" for number, (one, other) in enumerate(zip(FIRST, SECOND))]
    return write_lines("classes.tsv", rows)


def test_trains_measures_and_goes_on(classes, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["--classes", classes, "--validation", classes, *MODEL, *SMALL, "--out", out]
    assert run(*arguments) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("pairs: 16, classes ['a', 'b', 'c']\n")
    assert shown.endswith(f"Wrote {out / 'pair_scorer.keras'}\n")
    scorer = keras_transformer.load(out)
    assert scorer.labels == ["a", "b", "c"] and scorer.encoder.hidden.units == 7
    history = (out / "history.csv").read_text().splitlines()
    best = max(float(row.split(",")[history[0].split(",").index("val_accuracy")]) for row in history[1:])
    figures = tmp_path / "f.json"
    assert main(["evaluate", "pair-scorer", "--model", str(out), "--classes", classes, "--json", str(figures)]) == 0
    assert f"Pairs, {classes}: 16\n  accuracy " in capsys.readouterr().out
    estimates = json.loads(figures.read_text())["classes"][0]["estimates"]
    assert estimates[0]["value"] == pytest.approx(best, abs=1e-6)
    assert run(*arguments) == 0
    assert "Nothing left to train: ended at step 4 of 4\n" in capsys.readouterr().out
    assert run(*arguments, "--seed", 3) == 1
    assert "seed=3 (not 0)" in capsys.readouterr().err


def test_starts_from_what_was_trained(write_lines, embedder_dir, embedder, pair_scorer_dir, pair_scorer, tmp_path):
    rows = [f"{number % 2}\t{one}\t{other}" for number, (one, other) in enumerate(zip(FIRST, SECOND))]
    matches = write_lines("matches.tsv", rows)
    small = [*SMALL, "--learning-rate", "1e-9"]
    assert run("--matches", matches, "--start", embedder_dir, *small, "--out", tmp_path / "a") == 0
    encoder = keras_transformer.load(tmp_path / "a").encoder.encoder
    for ours, theirs in zip(encoder.get_weights(), embedder.encoder.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    scores = write_lines("scores.tsv", [f"{row[0]}7.5\t{row[2:]}" for row in rows])
    assert run("--scores", scores, "--start", pair_scorer_dir, *small, "--out", tmp_path / "b") == 0
    scorer = keras_transformer.load(tmp_path / "b")
    pairs = [("a red dog", "the dog")]
    assert (scorer.activation, scorer.max_length) == ("linear", 60)
    np.testing.assert_allclose(scorer.score(pairs), pair_scorer.logits(pairs), atol=1e-5)


def test_bad_options(classes, embedder_dir, tmp_path, capsys):
    for options, message in (
        (["--encoder", "averaging"], "Expected one of ['transformer']. Received: --encoder='averaging'"),
        (["--start", embedder_dir, "--hidden-dim", 3], "Expected no --hidden-dim beside --start"),
        (["--start", "nowhere"], "Expected a .keras file with an embedder or a pair scorer"),
        (["--batch-size", 0], "--batch-size=0"),
    ):
        assert run("--classes", classes, *options, "--out", tmp_path / "out") == 1
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run("--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
