import numpy as np
import pytest

from keras_transformer.evaluation import retrieval, score_retrieval
from keras_transformer.evaluation.retrieval import answer_ranks

RANDOM = np.random.default_rng(8)
QUERIES = RANDOM.normal(size=(57, 4)).astype("float32")
ANSWERS = (QUERIES + RANDOM.normal(size=(57, 4))).astype("float32")


def ranks_one_by_one():
    """By sorting, in float64."""
    ranks = []
    for i, query in enumerate(QUERIES.astype("float64")):
        order = np.argsort(-(ANSWERS.astype("float64") @ query))
        ranks.append(1 + list(order).index(i))
    return np.array(ranks)


def test_ranks_by_hand():
    queries = np.array([[1, 0], [0, 1], [1, 1]], "float32")
    answers = np.array([[2, 0], [0, 1], [0.5, 0.5]], "float32")
    # Products: 2 0 .5; 0 1 .5; 2 1 1, where the last answer shares its place with the second.
    np.testing.assert_array_equal(answer_ranks(queries, answers), [1, 1, 3])
    scores = score_retrieval(queries, answers, recall_at=(2, 3))
    assert scores.num_pairs == 3 and scores.precision_at_1 == pytest.approx(2 / 3)
    assert scores.mean_reciprocal_rank == pytest.approx((1 + 1 + 1 / 3) / 3)
    assert scores.recall == {2: pytest.approx(2 / 3), 3: 1.0}


@pytest.mark.parametrize("at_once", [1, 57 * 5 + 3, 2**24])
def test_ranks_are_those_of_sorting(monkeypatch, at_once):
    monkeypatch.setattr(retrieval, "_PRODUCTS_AT_ONCE", at_once)
    wanted = ranks_one_by_one()
    assert wanted.max() > 10 and 5 < np.sum(wanted == 1) < 50
    np.testing.assert_array_equal(answer_ranks(QUERIES, ANSWERS), wanted)
    scores = score_retrieval(QUERIES, ANSWERS)
    assert scores.precision_at_1 == np.mean(wanted == 1) and set(scores.recall) == {5, 10}
    assert scores.mean_reciprocal_rank == pytest.approx(np.mean(1 / wanted))
    assert scores.recall[5] == np.mean(wanted <= 5) and scores.recall[10] == np.mean(wanted <= 10)


def test_the_memory_is_bounded(monkeypatch):
    """No array that the ranking makes holds more products than are said."""
    made = []

    class Watched(np.ndarray):
        def __array_finalize__(self, source):
            made.append(self.size)

    monkeypatch.setattr(retrieval, "_PRODUCTS_AT_ONCE", 57 * 3)
    answer_ranks(QUERIES.view(Watched), ANSWERS.view(Watched))
    assert 57 * 3 in made and max(made) <= 57 * 4  # the vectors


def test_ties_count_against_us():
    """Also where the products of copies differ in their last bits."""
    vectors = np.random.default_rng(9).normal(size=(101, 67)).astype("float32")
    answers = vectors[np.arange(101) // 2]  # those of 0 and 1 are equal, and so on
    ranks = answer_ranks(answers, answers)
    np.testing.assert_array_equal(ranks, [2] * 100 + [1])
    np.testing.assert_array_equal(answer_ranks(np.ones((9, 3), "float32"), np.ones((9, 3), "float32")), [9] * 9)
    np.testing.assert_array_equal(answer_ranks(np.zeros((9, 3), "float32"), np.ones((9, 3), "float32")), [9] * 9)


def test_texts_and_an_embedder():
    vectors = {**{f"q{i}": v for i, v in enumerate(QUERIES)}, **{f"a{i}": v for i, v in enumerate(ANSWERS)}}
    texts = [f"q{i}" for i in range(57)], [f"a{i}" for i in range(57)]
    assert score_retrieval(*texts, lambda texts: [vectors[text] for text in texts]) == score_retrieval(QUERIES, ANSWERS)


def test_bad_input():
    with pytest.raises(ValueError, match="Received: queries=57, answers=56"):
        score_retrieval(QUERIES, ANSWERS[1:])
    with pytest.raises(ValueError, match="recall_at=0"):
        score_retrieval(QUERIES, ANSWERS, recall_at=(5, 0))
    with pytest.raises(ValueError, match="same width"):
        score_retrieval(QUERIES, ANSWERS[:, 1:])
