"""The examples run as they stand, and each prints what it promises."""

import pathlib
import re
import runpy

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(monkeypatch, capsys):
    """A function (name, *arguments) -> what the program prints. In this process, which has TensorFlow already."""

    def run(name, *arguments):
        monkeypatch.setattr("sys.argv", [name, *map(str, arguments)])
        runpy.run_path(str(FOLDER / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_classifies_texts(run):
    accuracy = re.search(r"Accuracy on other dates: ([\d.]+)%", run("01_classify_texts.py"))
    assert float(accuracy[1]) > 95


def test_completes_a_date(run):
    out = run("02_language_model.py", "--epochs", "5", "--prompt", "Tuesday, Ma")
    completed = re.search(r"goes on as '(.*)'", out)[1]
    assert re.fullmatch(r"Tuesday, Ma(rch|y) \d{1,2}, (19|20)\d\d", completed)


def test_translates_with_the_shipped_model(run):
    out = run("03_translate.py", "A dog runs through the snow.", "--begin", "Im Schnee")
    assert "A dog runs through the snow.  ->  Ein Hund" in out
    begun = re.findall(r"^ +-[\d.]+  (.*)$", out, re.MULTILINE)
    assert len(begun) == 5 and all(text.startswith("Im Schnee") for text in begun)
    assert re.search(r"Hund  ▁dog \(0\.\d\d\)", out)


def test_fine_tunes_the_shipped_encoder(run, write_lines):
    sides = [("good", "fine", "great"), ("bad", "poor", "weak")]
    rows = [f"{label}\tthe {thing} is {word}" for thing in ["plot", "cast", "end", "score"]
            for label, words in enumerate(sides) for word in words]  # fmt: skip
    out = run("04_classify_reviews.py", write_lines("reviews.tsv", rows * 10), "--epochs", "1", "4")
    frozen, trained = re.findall(r"accuracy ([\d.]+)% of 24 held out", out)
    assert float(trained) >= max(95, float(frozen))


def test_collects_texts(run, write_lines, tmp_path):
    files = [
        write_lines("a.tsv", ["1.5\tA dog runs.\tA  cat sits", "2\tIt is held out!\tA dog runs."]),
        write_lines("b.txt.gz", ["A cat sits", "alone", "", "much too long a text"]),
    ]
    held_out = write_lines("held.tsv", ["0\tit is HELD out\tA tree"])
    out = run("05_texts_to_learn_from.py", *files, "--held-out", held_out, "--longest", "15", "--out", tmp_path / "out")
    assert (tmp_path / "out").read_text().splitlines() == [
        "A dog runs.",
        "A cat sits",
        *["a", "dog", "runs", "cat", "sits"],
    ]
    assert "2 texts and 5 single words; 1 were held out" in out


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_is_short_and_tested(path):
    assert len(path.read_text().splitlines()) < 60 and path.name[:2].isdigit()
    assert path.name in pathlib.Path(__file__).read_text()
