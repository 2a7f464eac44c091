import contextlib

import numpy as np
import pytest

from keras_transformer.training import (
    ClassTriplets,
    ContrastivePairs,
    MarginMSE,
    ResponseRanking,
    SentenceTask,
    TripletMargin,
)
from tests.training.test_sentence_tasks import all_rows, texts_of


@pytest.fixture
def write(tmp_path):
    def write(name, *lines):
        path = tmp_path / name
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return path

    return write


def test_answers_with_contexts_and_without(write):
    task = SentenceTask.answers(write("a.tsv", "q1\ta1\tc1", "q2\ta2\t"), objective=None, batch_size=2)
    assert sorted(all_rows(task)) == [("q1", "a1", "c1"), ("q2", "a2", "")] and task.name == "answers"
    batch = task.batch(0, 0)
    np.testing.assert_array_equal(batch.targets, np.column_stack([batch.texts[:, 0], batch.texts]))
    assert SentenceTask.answers(write("b.tsv", "q\ta"), None, batch_size=1).num_vectors == 2
    with pytest.raises(ValueError, match="c.tsv, line 2: expected 2 columns"):
        SentenceTask.answers(write("c.tsv", "q\ta", "q\ta\tc"), None)


def test_paraphrases_are_two_of_a_row(write):
    path = write("p.tsv", "a1\ta2\ta3", "b1", "c1\tc2\t")
    task = SentenceTask.paraphrases(path, batch_size=3)
    seen = set()
    for number in range(50):
        rows = texts_of(task, task.batch(number, 0))
        assert sorted(row[0][0] for row in rows) == ["a", "b", "c"]
        seen.update(rows)
    a = {("a1", "a2"), ("a1", "a3"), ("a2", "a1"), ("a2", "a3"), ("a3", "a1"), ("a3", "a2")}
    assert seen == a | {("b1", "b1"), ("c1", "c2"), ("c2", "c1")}
    np.testing.assert_array_equal(np.sort(task.batch(0, 0).targets[:, 0]), [0, 1, 2])


def test_inference(write):
    path = write("n.tsv", "neutral\tp1\th1", "contradiction\tp2\th2", "entailment\tp3\th3")
    task = SentenceTask.inference(path, batch_size=3)
    batch = task.batch(0, 0)
    assert dict(zip(texts_of(task, batch), batch.targets.tolist())) == {
        ("p1", "h1"): 1,
        ("p2", "h2"): 2,
        ("p3", "h3"): 0,
    }


def test_entailment_has_contradictions_of_the_premise(write):
    lines = ["entailment\tp\te1", "entailment\tp\te2", "contradiction\tp\tc1", "contradiction\tp\tc2", "neutral\tp\tn"]
    task = SentenceTask.entailment(write("n.tsv", *lines, "entailment\tq\te3"), batch_size=3)
    assert sorted(all_rows(task)) == [("p", "e1", "c1"), ("p", "e2", "c2"), ("q", "e3", "e3")]


def test_similarity_scores_become_cosines(write):
    task = SentenceTask.similarity(write("s.tsv", "5.0\ta\tb", "2.5\tc\td", "0\te\tf"), batch_size=3)
    batch = task.batch(0, 0)
    found = {first: float(target) for (first, _), target in zip(texts_of(task, batch), batch.targets)}
    assert found == {"a": 1.0, "c": 0.5, "e": 0.0}


def test_neighbours_stay_within_documents(write):
    task = SentenceTask.neighbours(write("t.txt", "one", "two", "three", "", "four", "five", "", ""), batch_size=3)
    assert sorted(all_rows(task)) == [("four", "five"), ("one", "two"), ("two", "three")]


def test_teacher(write, tmp_path):
    vectors = np.arange(6, dtype="float32").reshape(3, 2)
    np.save(tmp_path / "v.npy", vectors)
    task = SentenceTask.teacher(write("t.txt", "a", "b", "c"), tmp_path / "v.npy", batch_size=2)
    batch = task.batch(0, 0)
    np.testing.assert_array_equal(batch.targets, [vectors["abc".index(text)] for (text,) in texts_of(task, batch)])
    with pytest.raises(ValueError, match=r"each of 2 lines. Received: shape \(3, 2\)"):
        SentenceTask.teacher(write("u.txt", "a", "b"), vectors)


@pytest.mark.parametrize(
    "kind, lines, message",
    [
        ("inference", ["neutral\tp\th", "maybe\tp\th"], r"f.tsv, line 2: expected label to be one of .*'maybe'"),
        ("entailment", ["maybe\tp\th"], "f.tsv, line 1: expected label"),
        ("similarity", ["1\ta\tb", "5.1\ta\tb"], "f.tsv, line 2: expected a number from 0 to 5"),
        ("similarity", ["nan\ta\tb"], "line 1: expected a number"),
        ("ranking", ["a\tb", "a"], "f.tsv, line 2: expected 2 columns or more"),
        ("ranking", ["a\tb\tc", "a\tb"], r"Expected rows of 3 texts. Received: \[2, 3\]"),
        ("sentences", [""], "Expected rows for the task 'sentences'"),
        ("triplets", ["a\tb"], "f.tsv, line 1: expected 3 columns"),
        ("classes", ["a\tb", "c"], "f.tsv, line 2: expected 2 columns"),
        ("matches", ["1\ta\tb", "2\ta\tb"], "f.tsv, line 2: expected label to be one of .*Received: '2'"),
        ("candidates", ["1\tq\ta"], "f.tsv, line 1: expected 5 columns or more"),
        (
            "candidates",
            ["1\t2\tq\ta\tb", "1\t2\t3\tq\ta\tb\tc"],
            "line 2: expected 5 columns, and a query",
        ),
        ("candidates", ["1\t2\tq\ta\tb\tc"], "line 1: expected as many scores as candidates"),
        ("candidates", ["1\tq\ta\tb\tc"], r"line 1: expected 2 scores first. Received: \['1', 'q'\]"),
        ("candidates", ["1\tinf\tq\ta\tb"], r"line 1: expected 2 scores first. Received: \['1', 'inf'\]"),
        ("neighbours", ["a", "", "b"], "Expected rows for the task 'neighbours'"),
        ("entailment", ["neutral\tp\th"], "Expected rows for the task 'entailment'"),
    ],
)
def test_bad_files(kind, lines, message, write):
    with pytest.raises(ValueError, match=message):
        getattr(SentenceTask, kind)(write("f.tsv", *lines))


def test_damaged_vectors_are_told(write, tmp_path):
    """A bit of the header in another place, which NumPy parses as Python, and other files than arrays."""
    texts, path = write("t.txt", "a", "b", "c"), tmp_path / "v.npy"
    np.save(path, np.ones((3, 4), "float32"))
    whole = path.read_bytes()
    for bit in range(0, 8 * 70, 3):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with contextlib.suppress(ValueError):  # of any other kind it would fail the test
            SentenceTask.teacher(texts, path)
    np.savez(tmp_path / "archive", np.ones((3, 4)))
    np.save(tmp_path / "words.npy", np.array([["a"], ["b"], ["c"]]))
    (tmp_path / "pointer.npy").write_text("version https://git-lfs.github.com/spec/v1\n")
    path.write_bytes(whole[:-1])
    for name, fault in [
        ("v.npy", "damaged, or something else"),
        ("archive.npz", "no array of numbers"),
        ("words.npy", "no array of numbers"),
        ("pointer.npy", "a Git LFS pointer"),
    ]:
        with pytest.raises(ValueError, match=rf"Expected an .npy file of vectors. Received .*{name}: it is {fault}"):
            SentenceTask.teacher(texts, tmp_path / name)
    with pytest.raises(FileNotFoundError, match="nowhere.npy"):
        SentenceTask.teacher(texts, tmp_path / "nowhere.npy")


def test_sentences_find_themselves(write):
    task = SentenceTask.sentences(write("t.txt", "one", "", "two "), batch_size=2)
    assert sorted(all_rows(task)) == [("one", "one"), ("two", "two")]
    assert isinstance(task.objective, ResponseRanking) and task.name == "sentences"


def test_triplets(write):
    task = SentenceTask.triplets(write("t.tsv", "a\tb\tc", "d\te\tf"), batch_size=2)
    assert sorted(all_rows(task)) == [("a", "b", "c"), ("d", "e", "f")]
    assert isinstance(task.objective, TripletMargin)


def test_classes_are_numbered(write):
    task = SentenceTask.classes(write("t.tsv", "news\ta", "art\tb", "news\tc"), batch_size=3)
    batch = task.batch(0, 0)
    assert {text: int(target) for (text,), target in zip(texts_of(task, batch), batch.targets)} == {
        "a": 1,
        "b": 0,
        "c": 1,
    }
    assert isinstance(task.objective, ClassTriplets)


def test_matches(write):
    task = SentenceTask.matches(write("t.tsv", "1\ta\tb", "0\tc\td"), batch_size=2)
    batch = task.batch(0, 0)
    found = dict(zip(texts_of(task, batch), batch.targets.tolist()))
    assert found == {("a", "b"): 1, ("c", "d"): 0} and isinstance(task.objective, ContrastivePairs)


def test_candidates(write):
    task = SentenceTask.candidates(write("t.tsv", "7.5\t-1\tq\ta\tb", "3\t1e1\tr\tc\td"), batch_size=2)
    batch = task.batch(0, 0)
    found = dict(zip(texts_of(task, batch), batch.targets.tolist()))
    assert found == {("q", "a", "b"): [7.5, -1.0], ("r", "c", "d"): [3.0, 10.0]}
    assert isinstance(task.objective, MarginMSE)
