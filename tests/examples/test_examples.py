"""The examples run as they stand, and each prints what it promises."""

import pathlib
import re
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "examples"


def run(name, *arguments):
    done = subprocess.run([sys.executable, FOLDER / name, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_classifies_texts():
    accuracy = re.search(r"Accuracy on other dates: ([\d.]+)%", run("01_classify_texts.py"))
    assert float(accuracy[1]) > 95


def test_completes_a_date():
    out = run("02_language_model.py", "--epochs", "4", "--prompt", "Tuesday, Ma")
    completed = re.search(r"goes on as '(.*)'", out)[1]
    assert re.fullmatch(r"Tuesday, Ma(rch|y) \d{1,2}, (19|20)\d\d", completed)


def test_translates_with_the_shipped_model():
    out = run("03_translate.py", "A dog runs through the snow.", "--begin", "Im Schnee")
    assert "A dog runs through the snow.  ->  Ein Hund" in out
    begun = re.findall(r"^ +-[\d.]+  (.*)$", out, re.MULTILINE)
    assert len(begun) == 5 and all(text.startswith("Im Schnee") for text in begun)
    assert re.search(r"Hund  ▁dog \(0\.\d\d\)", out)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_is_short_and_tested(path):
    assert len(path.read_text().splitlines()) < 60 and path.name[:2].isdigit()
    assert path.name in pathlib.Path(__file__).read_text()
