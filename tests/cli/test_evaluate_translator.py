"""keras-transformer evaluate translator, in this process."""

import dataclasses
import json

import pytest

from keras_transformer.cli.main import main
from keras_transformer.evaluation import compare_translations, score_translations
from tests import made_data

REFERENCES = made_data.sentences(30, seed=3)
HYPOTHESES = [" ".join(line.split()[:-1]) if i % 3 else line.upper() for i, line in enumerate(REFERENCES)]


def run(*arguments):
    return main(["evaluate", "translator", *(str(argument) for argument in arguments)])


@pytest.fixture
def files(write_lines):
    return {
        "--reference": write_lines("reference.txt.gz", REFERENCES),
        "--hypotheses": write_lines("hypotheses.txt", HYPOTHESES),
    }


def options(files):
    return [word for pair in files.items() for word in pair if word]


def test_a_file_of_hypotheses(files, tmp_path, capsys):
    assert run(*options(files), "--json", tmp_path / "scores.json") == 0
    wanted = score_translations(HYPOTHESES, REFERENCES)
    shown = capsys.readouterr().out
    for metric in (wanted.bleu, wanted.chrf):
        low, high = metric.interval
        assert f"{metric.score:.2f}   95% interval {low:.2f} to {high:.2f}   {metric.signature}\n" in shown
    assert "|tok:13a|" in shown and f"brevity penalty {wanted.brevity_penalty:.3f} (" in shown
    kept = json.loads((tmp_path / "scores.json").read_text())
    as_json = json.loads(json.dumps(dataclasses.asdict(wanted)))
    assert kept["systems"] == [{"name": files["--hypotheses"], **as_json}] and kept["p_values"] is None


def test_pairs_are_sources_and_references(files, write_lines, tmp_path, capsys):
    pairs = write_lines("pairs.tsv", [f"s{i}\t{line}" for i, line in enumerate(REFERENCES)])
    assert run("--pairs", pairs, "--hypotheses", files["--hypotheses"], "--worst", 1) == 0
    from_pairs = capsys.readouterr().out
    source = write_lines("source.txt", [f"s{i}" for i in range(30)])
    assert run(*options(files), "--source", source, "--worst", 1) == 0
    assert capsys.readouterr().out == from_pairs and "  source      s0\n" in from_pairs
    for others, message in [
        (("--pairs", source), "source.txt, line 1: expected 2 columns (source, reference), separated by tabs"),
        (("--pairs", pairs, "--source", source), "Expected --pairs, or --source and --reference. Received both"),
        ((), "Expected --reference or --pairs"),
    ]:
        assert run("--hypotheses", files["--hypotheses"], *others) == 1
        assert message in capsys.readouterr().err


def test_tokens_and_case_as_said(files, capsys):
    assert run(*options(files), "--tokenize", "none", "--lowercase") == 0
    shown = capsys.readouterr().out
    assert "|case:lc|" in shown and "|tok:none|" in shown
    assert f"{score_translations(HYPOTHESES, REFERENCES, 'none', True).bleu.score:.2f}" in shown


def test_a_model_keeps_its_translations(model_dir, translator, write_lines, tmp_path, capsys):
    sources = ["dog", "", "red cat", "\x1c", "blue house"]
    paths = write_lines("source.txt", sources), write_lines("reference.txt", sources)
    arguments = ("--model", model_dir, "--source", paths[0], "--reference", paths[1], "--batch-size", 2)
    assert run(*arguments, "--output", tmp_path / "out") == 0
    wanted = list(translator.translate(["dog", "", "red cat", "", "blue house"]))
    assert (tmp_path / "out").read_text(encoding="utf-8").split("\n") == [*wanted, ""]
    from_model = capsys.readouterr().out
    assert run("--hypotheses", tmp_path / "out", "--reference", paths[1]) == 0
    assert capsys.readouterr().out.split("\n")[1:] == from_model.split("\n")[1:]


def test_against_another_file(files, write_lines, tmp_path, capsys):
    others = ["the " + line for line in REFERENCES]
    against = write_lines("others.txt", others)
    assert run(*options(files), "--against", against, "--json", tmp_path / "scores.json") == 0
    wanted = compare_translations(HYPOTHESES, others, REFERENCES)
    difference = wanted.systems[0].bleu.score - wanted.systems[1].bleu.score
    assert f"  BLEU  {difference:+6.2f}   p = {wanted.p_values['BLEU']:.4f}\n" in capsys.readouterr().out
    kept = json.loads((tmp_path / "scores.json").read_text())
    assert [system["name"] for system in kept["systems"]] == [files["--hypotheses"], against]
    assert kept["p_values"] == wanted.p_values


def test_a_model_against_its_export_is_equal(model_dir, exported, write_lines, capsys):
    source = write_lines("source.txt", made_data.sentences(8))
    arguments = ("--source", source, "--reference", source, "--model", model_dir, "--against-model", exported)
    assert run(*arguments) == 0
    shown = capsys.readouterr().out
    assert "BLEU   +0.00   p = 1.0000" in shown and "chrF2  +0.00   p = 1.0000" in shown


def test_ensembles(model_dir, exported, write_lines, tmp_path, capsys):
    """Of a model and itself: the mean is what one says."""
    source = write_lines("source.txt", made_data.sentences(8))
    arguments = ("--source", source, "--reference", source, "--model", model_dir, "--model", model_dir)
    assert run(*arguments, "--against-model", model_dir, "--json", tmp_path / "scores.json") == 0
    assert "BLEU   +0.00   p = 1.0000" in capsys.readouterr().out
    kept = json.loads((tmp_path / "scores.json").read_text())
    assert [system["name"] for system in kept["systems"]] == [f"{model_dir} + {model_dir}", str(model_dir)]
    assert run(*arguments[:4], "--model", model_dir, "--model", exported) == 1
    assert "Expected .keras files for an ensemble" in capsys.readouterr().err


def test_the_worst_sentences(files, write_lines, capsys):
    source = write_lines("source.txt", [f"s{i}" for i in range(30)])
    assert run(*options(files), "--source", source, "--worst", 2) == 0
    shown = capsys.readouterr().out.split("The 2 sentences with the lowest chrF:\n")[1].split("\n")
    assert shown[0] == "line 1   chrF 0.0   BLEU 0.0"
    assert shown[1:4] == ["  source      s0", f"  reference   {REFERENCES[0]}", f"  hypothesis  {HYPOTHESES[0]}"]


def test_identifiers(write_lines, tmp_path, capsys):
    pairs = write_lines("pairs.tsv", ["get_value()를 부른다\tIt calls get_value()", "개와 utf8\tA dog and utf8"])
    hypotheses = write_lines("hypotheses.txt", ["It calls get value", "A dog and utf8"])
    arguments = ("--pairs", pairs, "--hypotheses", hypotheses, "--identifiers", "--json", tmp_path / "scores.json")
    assert run(*arguments) == 0
    assert "  identifiers kept: 1 of 2 (50.0%)\n" in capsys.readouterr().out
    kept = json.loads((tmp_path / "scores.json").read_text())
    assert kept["systems"][0]["identifiers"] == {"num_identifiers": 2, "num_kept": 1}
    others = write_lines("others.txt", ["get_value() is called", "A dog and utf8"])
    assert run(*arguments, "--against", others, "--overwrite") == 0
    shown = capsys.readouterr().out
    assert shown.index("identifiers kept: 1 of 2 (50.0%)") < shown.index("identifiers kept: 2 of 2 (100.0%)")
    kept = json.loads((tmp_path / "scores.json").read_text())
    assert [system["identifiers"]["num_kept"] for system in kept["systems"]] == [1, 2]


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"--source": "SHORT"}, "Received: REFERENCE with 30, SHORT with 29"),
        ({"--hypotheses": "SHORT"}, "Received: REFERENCE with 30, SHORT with 29"),
        ({"--against": "SHORT"}, "Received: REFERENCE with 30, SHORT with 29"),
        ({"--against": "BAD"}, "BAD, line 2: expected UTF-8"),
        ({"--reference": "EMPTY"}, "Expected at least one line. Received: EMPTY is empty"),
        ({"--tokenize": "14b"}, "Received: tokenize='14b'"),
        ({"--worst": "0"}, "Received: --worst=0"),
        ({"--output": "out"}, "Expected --model with --output"),
        ({"--json": "SHORT"}, "Expected --json not to exist, or --overwrite. Received: SHORT"),
        ({"--json": "REFERENCE"}, "Expected --json to be no file that is read. Received: REFERENCE"),
        ({"--beam": "2"}, "Expected --model with --beam"),
        ({"--against-model": "m"}, "Expected --source"),
        ({"--identifiers": ""}, "Expected --source or --pairs with --identifiers"),
    ],
)
def test_bad_options(changed, message, files, write_lines, capsys, tmp_path):
    names = {
        "SHORT": write_lines("short.txt", REFERENCES[1:]),
        "BAD": write_lines("bad.txt", ["dog", b"\xff"]),
        "EMPTY": write_lines("empty.txt", []),
        "REFERENCE": files["--reference"],
    }
    before = set(tmp_path.iterdir())
    assert run(*options({**files, **{name: names.get(value, value) for name, value in changed.items()}})) == 1
    for name, path in names.items():
        message = message.replace(name, path)
    assert message in capsys.readouterr().err
    assert set(tmp_path.iterdir()) == before
