import numpy as np
import pytest

from keras_transformer.text import ByteTokenizer, WordTokenizer
from keras_transformer.training import ResponseRanking, SentenceTask, SimilarityCorrelation, SimilarityRegression
from keras_transformer.training.fingerprints import TRAINED, differences, fingerprint, of_tokenizer


def test_a_fingerprint_is_of_the_content():
    vectors = np.arange(50_000, dtype="float32").reshape(25_000, 2)
    assert fingerprint(vectors, ["a", "b"]) == fingerprint(np.asfortranarray(vectors), iter(["a", "b"]))
    changed = vectors.copy()
    changed[24_999, 1] = 0
    others = [(changed, ["a", "b"]), (vectors.reshape(-1, 4), ["a", "b"]), (vectors, ["ab"]), (vectors, ["a"], ["b"])]
    others.append((vectors.astype("float64"), ["a", "b"]))
    marks = {fingerprint(*parts) for parts in [(vectors, ["a", "b"]), *others]}
    assert len(marks) == 6


def test_an_array_on_disk_has_that_of_one_in_memory(tmp_path):
    vectors = np.random.RandomState(0).normal(size=(9, 4))
    np.save(tmp_path / "v.npy", vectors)
    assert fingerprint(np.load(tmp_path / "v.npy", mmap_mode="r")) == fingerprint(vectors)


def test_a_tokenizer_is_known_by_its_vocabulary():
    marks = [of_tokenizer(WordTokenizer(words, name=name)) for words, name in (("ab", "x"), ("ab", "y"), ("ba", "x"))]
    assert marks[0] == marks[1] != marks[2]
    assert of_tokenizer(ByteTokenizer()) == of_tokenizer(ByteTokenizer(name="bytes"))


ROWS = [("one", "two"), ("three", "four"), ("five", "six")]


def ranking(rows=ROWS, **options):
    return SentenceTask("t", rows, ResponseRanking(**options), batch_size=2)


def similarity(objective, scores=(0.1, 0.2, 0.3)):
    return SentenceTask("t", ROWS, objective, np.asarray(scores), batch_size=2)


@pytest.mark.parametrize(
    "task, other, wanted",
    [
        (ranking(), ranking([*ROWS[:2], ("five", "seven")]), ["other content of data"]),
        (ranking(), ranking([*ROWS[1:], ROWS[0]]), ["other content of data"]),
        (ranking(), ranking(scale=3.0), ["objective scale=20.0 (not 3.0)"]),
        (
            similarity(SimilarityCorrelation()),
            similarity(SimilarityRegression(), (0.1, 0.2, 0.4)),
            ['objective class="SimilarityCorrelation" (not "SimilarityRegression")', "other content of data"],
        ),
    ],
)
def test_a_task_is_known_by_all_that_decides_its_batches(task, other, wanted):
    assert differences(task.description(), other.description()) == wanted
    assert differences(task.description(), task.description()) == []


def test_differences_in_words():
    now = {"rate": 1, "model": {"width": 3}, "data": fingerprint(["a"]), "new": fingerprint(["a"])}
    before = {"rate": 2, "model": {}, "data": fingerprint(["b"]), "old": "x"}
    assert differences(now, before) == [
        "rate=1 (not 2)",
        "model width=3 (not none)",
        "other content of data",
        "new=something (not none)",
        'old=none (not "x")',
    ]
    assert differences({"x": 1}, None) == ["x=1 (not none)"]
    now, before = ({TRAINED: kind, "rate": rate} for rate, kind in enumerate(("a translator", "an encoder")))
    assert differences(now, before) == ["a training of a translator, not of an encoder"]
