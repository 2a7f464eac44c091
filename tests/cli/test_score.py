import numpy as np
import pytest

from keras_transformer.cli.main import main
from keras_transformer.training.task_files import read_candidates
from keras_transformer.training.task_kinds import TaskKinds
from tests import made_data

PAIRS = list(zip(made_data.sentences(5, longest=3), made_data.sentences(5, seed=1, longest=3)))


def run(*arguments):
    return main(["score", *(str(argument) for argument in arguments)])


def test_scores_pairs(write_lines, pair_scorer_dir, pair_scorer, tmp_path, capsysbinary):
    file = write_lines("pairs.tsv", map("\t".join, PAIRS))
    assert run(file, "--model", pair_scorer_dir) == 0
    rows = [line.split("\t") for line in capsysbinary.readouterr().out.decode().splitlines()]
    assert [tuple(row[1:]) for row in rows] == PAIRS
    np.testing.assert_allclose([float(row[0]) for row in rows], pair_scorer.score(PAIRS), atol=1e-5)


def test_a_student_reads_them(write_lines, pair_scorer_dir, pair_scorer, tmp_path, monkeypatch):
    file, out = write_lines("pairs.tsv", map("\t".join, PAIRS)), tmp_path / "scored.tsv"
    assert run(file, "--model", pair_scorer_dir, "--similarity", "--output", out) == 0
    read = {}
    TaskKinds.similarity.__func__(lambda name, rows, objective, targets: read.update(rows=rows, targets=targets), out)
    assert read["rows"] == PAIRS
    np.testing.assert_allclose(read["targets"], pair_scorer.score(PAIRS), atol=1e-5)
    candidates = [(query, text, "red") for query, text in PAIRS]
    file = write_lines("mined.tsv", map("\t".join, candidates))
    assert run(file, "--model", pair_scorer_dir, "--candidates", "--output", out, "--overwrite") == 0
    texts, scores = read_candidates(out)
    assert texts == candidates
    wanted = [pair_scorer.logits([(query, text) for text in of_query]) for query, *of_query in candidates]
    np.testing.assert_allclose(scores, wanted, atol=1e-4)


def test_says_which_lines_are_truncated(write_lines, pair_scorer_dir, pair_scorer, tmp_path, capsys):
    longest = pair_scorer.max_length
    rows = [*["a\tb"] * 70, f"a\t{'x' * longest}"]
    file, out = write_lines("pairs.tsv", rows), tmp_path / "scored.tsv"
    assert run(file, "--model", pair_scorer_dir, "--batch-size", 1, "--output", out) == 0
    told = f"{file}, line 71: {longest + 4} tokens, the model takes {longest}; the end is not scored"
    told_all = capsys.readouterr().err
    assert told in told_all and told_all.count(" tokens") == 1
    assert [line.split("\t", 1)[1] for line in out.read_text().splitlines()] == rows
    file = write_lines("mined.tsv", ["a\tb\tc", f"a\tb\t{'x' * longest}"])
    assert run(file, "--model", pair_scorer_dir, "--candidates", "--output", out, "--overwrite") == 0
    assert f"{file}, line 2: {longest + 4} tokens, the model takes" in capsys.readouterr().err


def test_bad_input(write_lines, pair_scorer_dir, embedder_dir, tmp_path, capsys):
    bad, out = write_lines("bad.tsv", ["a\tb", "a"]), tmp_path / "out.tsv"
    assert run(bad, "--model", pair_scorer_dir, "--output", out) == 1
    assert f"{bad}, line 2: expected two texts, separated by tabs. Received: 1 columns" in capsys.readouterr().err
    assert not out.exists()
    assert run(bad, "--model", embedder_dir) == 1
    assert "Expected a pair scorer: a .keras file or a SavedModel" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(bad, "--model", pair_scorer_dir, "--similarity", "--candidates")
