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


class Made:
    """In the place of `MadeSentences`."""

    def __init__(self, known):
        self._known = known

    def translations(self, text):
        return self._known.get(text, {})

    def words(self):
        yield "big", {"ko": "큰"}


def test_multilingual_texts(tmp_path, monkeypatch):
    module = script("multilingual_texts")
    monkeypatch.setattr(module, "PAIRS", {"ko": 2, "de": 2})
    write(
        tmp_path / "parallel" / "ko-en.train.tsv.gz",
        ["vs\tM\t말\tA horse", "vs\tH\t개\tA dog", "vs\tH\t시험\tHeld out"],
    )
    write(tmp_path / "parallel" / "de-en.train.tsv.gz", ["vs\tH\tEin Hund\tA dog", "safety\tH\tNein\tNo"])
    (tmp_path / "english.txt").write_text("A cat\n")
    monkeypatch.setattr(
        module, "MadeSentences", lambda: Made({"A cat": {"ko": "고양이", "fr": "Un chat"}, "A dog": {"ko": "재는 말"}})
    )
    monkeypatch.setattr(module, "MADE", {"ko": 1.0, "fr": 0.0})
    monkeypatch.setattr(module, "emoji_names", lambda: [["dog face", "강아지 얼굴"]])
    english, texts, rows = module.collect(
        str(tmp_path), str(tmp_path / "english.txt"), {"held out", "재는 말"}, longest=50
    )
    assert english == ["A cat", "A dog", "A horse", "big", "dog face"]
    wanted = {("A cat", 0), ("A dog", 1), ("개", 1), ("A horse", 2), ("말", 2), ("Ein Hund", 1), ("고양이", 0)}
    wanted |= {("big", 3), ("큰", 3), ("dog face", 4), ("강아지 얼굴", 4)}
    assert len(texts) == 11 and set(zip(texts, rows)) == wanted
    (tmp_path / "english.txt").write_text("\n".join(english) + "\n")
    np.save(tmp_path / "rows.npy", np.asarray(rows, "int32"))
    vectors = np.arange(10, dtype="float32").reshape(5, 2)
    np.save(tmp_path / "e.npy", vectors)
    module.spread(str(tmp_path / "e.npy"), str(tmp_path))
    np.testing.assert_array_equal(np.load(tmp_path / "vectors.npy"), vectors[rows])
    np.save(tmp_path / "e.npy", vectors[:2])
    with pytest.raises(ValueError, match="each of 5 lines of english.txt. Received: 2"):
        module.spread(str(tmp_path / "e.npy"), str(tmp_path))


def test_emoji_have_names_in_each_language():
    names = list(script("multilingual_texts").emoji_names())
    assert ["elephant", "코끼리", "elefant", "éléphant", "elefante", "ゾウ", "大象"] in names
    assert len(names) > 1500 and not any("skin tone" in of[0] for of in names)


@pytest.fixture(scope="module")
def made_sentences():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT)
        yield script("made_translations").MadeSentences()


@pytest.mark.parametrize(
    "english, wanted",
    [
        (
            "A man is playing a guitar in a park.",
            {
                "ko": "남자가 공원에서 기타를 치고 있다.",
                "de": "Ein Mann spielt Gitarre in einem Park.",
                "fr": "Un homme joue de la guitare dans un parc.",
                "es": "Un hombre está tocando la guitarra en un parque.",
                "ja": "男性が公園でギターを弾いている。",
                "zh": "一个男人在公园里弹吉他。",
            },
        ),
        (
            "Two women in a hat are not slicing an onion",
            {
                "ko": "모자를 쓴 두 여자가 양파를 썰고 있지 않다",
                "es": "Dos mujeres con sombrero no están cortando una cebolla en rodajas",
                "ja": "帽子をかぶった二人の女性が玉ねぎを薄切りにしていない",
                "zh": "两个戴帽子的女人没有在把洋葱切成片",
            },
        ),
        (
            "A furry dog barking",
            {"ko": "털이 복슬복슬한 개가 짖고 있다", "ja": "毛で覆われた犬が吠えている", "zh": "一只毛茸茸的狗在叫"},
        ),
        (
            "Italy wins World Cup",
            {
                "ko": "이탈리아, 월드컵 우승",
                "de": "Italien gewinnt die Weltmeisterschaft",
                "fr": "Italie remporte la Coupe du monde",
                "es": "Italia gana el Mundial",
                "ja": "イタリアがワールドカップで優勝",
                "zh": "意大利夺得世界杯",
            },
        ),
        ("The cat of my neighbour is playing the guitar.", {}),
    ],
)
def test_made_sentences_in_other_languages(made_sentences, english, wanted):
    assert made_sentences.translations(english) == wanted


@pytest.mark.parametrize("name", ["scenes", "acts", "headlines", "news", "reviews"])
def test_every_made_sentence_is_read_back(made_sentences, name):
    made = getattr(script("english_texts"), name)(random.Random(3))
    for text in itertools.islice(made, 200):
        found = made_sentences.translations(text)
        assert {"ko", "ja", "zh"} <= found.keys(), text
        assert not re.search(r"[{}]|[이을은와]/|으로/", " ".join(found.values())), found


def test_every_listed_phrase_is_translated(made_sentences):
    english = script("english_texts")
    listed = {"who": "people_and_animals", "doing": "doing", "places": "places", "clothing": "clothing"}
    listed |= {
        "looks": "looks",
        "headlines": "headlines",
        "news": "news",
        "reviews": "reviews",
        "companies": "companies",
    }
    for language, lists in made_sentences.languages.items():
        for name, file in listed.items():
            assert lists[name].keys() == set(english._list(file)), (language, name)
        for kind, things in english._table("objects").items():
            assert lists[f"objects.{kind}"].keys() == set(things)
        assert all(form.strip() for name in lists.names() for forms in lists[name].values() for form in forms)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("개이/가 말을/를", "개가 말을"),
        ("물을/를 서울으로/로 집으로/로", "물을 서울로 집으로"),
        ("밥와/과 차와/과 3은/는 2은/는", "밥과 차와 3은 2는"),
        ("GM이/가 (남)은/는", "GM가 (남)은"),
    ],
)
def test_particles_follow_the_sound_before_them(text, wanted):
    assert script("made_translations").with_particles(text) == wanted


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.sh")), ids=lambda path: path.name)
def test_shell_scripts_parse_and_name_what_is_missing(path):
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    process = subprocess.run(["bash", path], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
    assert process.returncode and "DATA: the folder of the training data" in process.stderr
