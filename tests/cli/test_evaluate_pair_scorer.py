import json

import pytest

from keras_transformer.cli.main import main
from keras_transformer.evaluation import score_pairs
from tests import made_data

PAIRS = list(zip(made_data.sentences(8, longest=3), made_data.sentences(8, seed=1, longest=3)))


def run(*arguments):
    return main(["evaluate", "pair-scorer", *(str(argument) for argument in arguments)])


def test_figures_of_matches_and_of_scores(write_lines, pair_scorer_dir, pair_scorer, tmp_path, capsys):
    scores = pair_scorer.score(PAIRS)
    for kind, gold in (("matches", [0, 1] * 4), ("similarity", [number / 2 for number in range(8)])):
        file = write_lines(f"{kind}.tsv", [f"{target}\t{a}\t{b}" for target, (a, b) in zip(gold, PAIRS)])
        options = ["--json", tmp_path / "f.json", "--overwrite"]
        assert run("--model", pair_scorer_dir, f"--{kind}", file, *options) == 0
        wanted = score_pairs(scores, gold, kind).estimates
        shown = capsys.readouterr().out
        assert shown.startswith(f"{pair_scorer_dir}\nPairs, {file}: 8\n")
        assert all(f"  {one.name:<17}{one.value:8.4f}   95% interval" in shown for one in wanted)
        (figures,) = json.loads((tmp_path / "f.json").read_text())[kind]
        assert [one["value"] for one in figures["estimates"]] == pytest.approx([one.value for one in wanted])


def test_bad_options(write_lines, pair_scorer_dir, tmp_path, capsys):
    file = write_lines("pairs.tsv", ["1\ta\tb"])
    for options, message in (
        (["--model", pair_scorer_dir, "--classes", file], "Expected --classes of a scorer with labels, alone."),
        (["--model", "nowhere", "--matches", file], "Expected a pair scorer"),
        (["--model", pair_scorer_dir, "--matches", file, "--json", file], "Expected --json to be no file that is read"),
    ):
        assert run(*options) == 1
        assert message in capsys.readouterr().err
