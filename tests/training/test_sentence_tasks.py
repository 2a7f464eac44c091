import numpy as np
import pytest

from keras_transformer.training import ContrastivePairs, GuidedRanking, ResponseRanking, SentenceTask


def texts_of(task, batch):
    return [tuple(task.texts[i] for i in row) for row in batch.texts]


def all_rows(task, seed=0):
    return [row for number in range(task.num_batches) for row in texts_of(task, task.batch(number, seed))]


def test_every_pass_has_every_row_once_in_another_order():
    rows = [(f"question {i}", f"answer {i % 3}") for i in range(12)]
    task = SentenceTask("t", rows, objective=None, batch_size=4)
    assert len(task.texts) == 12 + 3
    first = all_rows(task)
    assert sorted(first) == sorted(rows)
    second = [row for number in range(3, 6) for row in texts_of(task, task.batch(number, 0))]
    assert sorted(second) == sorted(rows)
    assert first != second
    assert all_rows(task, seed=1) != first
    again = SentenceTask("t", rows, objective=None, batch_size=4)
    assert texts_of(again, again.batch(4, 0)) == second[4:8]  # nothing but the numbers decides


def test_targets_stay_with_their_rows():
    task = SentenceTask("t", [(str(i), "x") for i in range(10)], None, targets=np.arange(10) * 2, batch_size=3)
    batch = task.batch(1, 0)
    np.testing.assert_array_equal(batch.targets, [2 * int(text) for text, _ in texts_of(task, batch)])


def test_keys_of_a_ranking_are_input_and_texts():
    task = SentenceTask("t", [("a", "b", "c"), ("a", "d", "b")], None, batch_size=2)
    batch = task.batch(0, 0)
    np.testing.assert_array_equal(batch.targets[:, 0], batch.texts[:, 0])
    np.testing.assert_array_equal(batch.targets[:, 1:], batch.texts)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"weight": 0}, "weight=0"),
        ({"targets": [1]}, "as many targets as rows, 2"),
    ],
)
def test_bad_values(values, message):
    with pytest.raises(ValueError, match=message):
        SentenceTask("t", [("a", "b"), ("c", "d")], None, **values)


def test_no_text_stands_in_two_rows_of_a_batch():
    rows = [(f"question {i % 7}", f"answer {i}") for i in range(40)]
    task = SentenceTask("t", rows, ResponseRanking(), batch_size=5, no_duplicates=True)
    other = [texts_of(task, task.batch(number, 0)) for number in range(8, 16)]
    batches = [texts_of(task, task.batch(number, 0)) for number in range(8)]
    assert all(len({text for row in batch for text in row}) == 2 * len(batch) for batch in batches + other)
    found = [row for batch in batches for row in batch]
    assert 35 < len(found) == len(set(found)) and set(found) <= set(rows)
    assert batches != other
    assert "no_duplicates" in task.description()
    assert "no_duplicates" not in SentenceTask("t", rows, ResponseRanking()).description()


def test_a_guide_s_vectors_are_the_targets():
    def guide(texts):
        return np.array([[float(ord(text)), 1] for text in texts])

    task = SentenceTask("t", [("a", "b"), ("c", "a")], GuidedRanking(), batch_size=2, guide=guide)
    batch = task.batch(0, 0)
    expected = [[[ord(text), 1] for text in row] for row in texts_of(task, batch)]
    np.testing.assert_array_equal(batch.targets, np.array(expected, "float32"))
    other = SentenceTask("t", [("a", "b"), ("c", "a")], GuidedRanking(), guide=lambda texts: 2 * guide(texts))
    assert task.description()["guide"] != other.description()["guide"]
    with pytest.raises(ValueError, match=r"vector of each of 3 texts. Received: shape \(2, 2\)"):
        SentenceTask("t", [("a", "b"), ("c", "a")], GuidedRanking(), guide=lambda texts: np.ones((2, 2)))
    with pytest.raises(ValueError, match="no targets with a guide"):
        SentenceTask("t", [("a", "b")], ContrastivePairs(), targets=[1], guide=guide)
