"""The scripts of recipes/, on made data; the commands that they stand between are tested by themselves."""

import gzip
import importlib.util
import itertools
import pathlib
import random
import re
import subprocess

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2] / "recipes"


@pytest.fixture(autouse=True)
def as_scripts(monkeypatch):
    """A script finds those beside it."""
    monkeypatch.syspath_prepend(ROOT)


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("A good dog.", "A bad dog."),
        ("It is not red.", "It is red."),
        ("It isn't red.", "It is red."),
        ("It is red.", "It is not red."),
        ("I can’t swim, and won't.", "I can swim, and won't."),
        ("Won't you swim?", "Will you swim?"),
        ("We cannot swim.", "We can swim."),
        ("She has a dog.", None),
        ("Run!", None),
    ],
)
def test_opposites(text, wanted):
    assert list(script("english_texts").opposites([text])) == ([wanted] if wanted else [])


def test_english_texts(tmp_path, monkeypatch):
    module = script("english_texts")
    for name in module.SENTENCES:
        write(tmp_path / name, ["A good dog runs to the park.", "She saw the park in Berlin.", "x" * 200])
    for name, (columns, _) in module.COLUMNS.items():
        rows = [["kept", *["Ask the park in Berlin?"] * max(columns)], ["safety", *["Not this one."] * max(columns)]]
        write(tmp_path / name, ["\t".join(row) for row in rows])
    for name in ("REVIEWS", "SCENES", "ACTS", "HEADLINES", "NEWS", "QUESTIONS"):
        monkeypatch.setattr(module, name, 5)
    texts = module.collect(str(tmp_path), longest=120)
    assert len(texts) == len(set(texts)) and texts == module.collect(str(tmp_path), longest=120)
    for text in (
        "A good dog runs to the park.",
        "A bad dog runs to the park.",
        "Ask the park in Berlin?",
        "dog",
        "the park",
    ):
        assert text in texts
    assert "Not this one." not in texts and "x" * 200 not in texts
    assert "{" not in " ".join(texts)


@pytest.mark.parametrize("name", ["reviews", "scenes", "acts", "headlines", "news"])
def test_made_texts_have_no_gaps(name):
    made = getattr(script("english_texts"), name)(random.Random(0))
    texts = [next(made) for _ in range(500)]
    assert len(set(texts)) > 300 and not any("{" in text or "  " in text for text in texts)


def test_things_that_are_done_are_listed_by_kind():
    module = script("english_texts")
    actions, things = module._table("actions"), module._table("objects")
    assert actions.keys() == things.keys() and "cutting" in actions["food"] and "an onion" in things["food"]
    texts = list(itertools.islice(module.acts(random.Random(0)), 2000))
    assert any(text.startswith("Two ") and " are " in text for text in texts)
    assert not any(re.search(r"^(A|An) (?!few ).* are | (is|are) (?!\w+ing\b)", text) for text in texts)


def test_verbs_agree_with_who_is_in_a_scene():
    made = script("english_texts").scenes(random.Random(1))
    texts = [next(made).lower() for _ in range(3000)]
    for text in texts:
        if text.startswith(("two ", "the two ", "some ", "the dogs ", "men ", "children ")):
            assert " are " in text, text
        if text.startswith(
            ("a man ", "an ", "the woman ", "a waitress ", "a crowd of people ", "a bus driver ", "the tennis player ")
        ):
            assert " is " in text, text
    assert any(" are " in text for text in texts)


def test_korean_english_pairs(tmp_path):
    path = tmp_path / "pairs.tsv.gz"
    rows = ["vs M 개 dog", "vs H 개 dog", "vs M 말 horse", "safety M 나쁜 bad", "stylekqc H 말투 style", "vs H x x"]
    write(path, ["\t".join(row.split()) for row in rows])
    found = list(script("korean_english_pairs").pairs(str(path), "en"))
    assert found == [("개", "dog", True), ("말", "horse", False)]
    assert next(script("korean_english_pairs").pairs(str(path), "ko")) == ("dog", "개", True)


def test_multilingual_texts(tmp_path, monkeypatch):
    module = script("multilingual_texts")
    monkeypatch.setattr(module, "PAIRS", {"ko": 2, "de": 2})
    write(
        tmp_path / "parallel" / "ko-en.train.tsv.gz",
        ["vs\tM\t말\tA horse", "vs\tH\t개\tA dog", "vs\tH\t시험\tHeld out"],
    )
    write(tmp_path / "parallel" / "de-en.train.tsv.gz", ["vs\tH\tEin Hund\tA dog", "safety\tH\tNein\tNo"])
    (tmp_path / "english.txt").write_text("A cat\n")
    english, texts, rows = module.collect(str(tmp_path), str(tmp_path / "english.txt"), {"held out"}, longest=50)
    assert english == ["A cat", "A dog", "A horse"]
    wanted = {("A cat", 0), ("A dog", 1), ("개", 1), ("A horse", 2), ("말", 2), ("Ein Hund", 1)}
    assert len(texts) == 6 and set(zip(texts, rows)) == wanted
    (tmp_path / "english.txt").write_text("\n".join(english) + "\n")
    np.save(tmp_path / "rows.npy", np.asarray(rows, "int32"))
    vectors = np.arange(6, dtype="float32").reshape(3, 2)
    np.save(tmp_path / "e.npy", vectors)
    module.spread(str(tmp_path / "e.npy"), str(tmp_path))
    np.testing.assert_array_equal(np.load(tmp_path / "vectors.npy"), vectors[rows])
    np.save(tmp_path / "e.npy", vectors[:2])
    with pytest.raises(ValueError, match="each of 3 lines of english.txt. Received: 2"):
        module.spread(str(tmp_path / "e.npy"), str(tmp_path))


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.sh")), ids=lambda path: path.name)
def test_shell_scripts_parse_and_name_what_is_missing(path):
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    process = subprocess.run(["bash", path], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
    assert process.returncode and "DATA: the folder of the training data" in process.stderr
