import numpy as np
import pytest
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score

from keras_transformer.evaluation import RetrievalScores, retrieval, score_retrieval
from keras_transformer.evaluation.retrieval import answer_ranks

RANDOM = np.random.default_rng(8)
QUERIES = RANDOM.normal(size=(57, 4)).astype("float32")
ANSWERS = (QUERIES + RANDOM.normal(size=(57, 4))).astype("float32")
OWN = list(np.arange(57)[:, None])  # answer i is right for query i


def embedder_of(**vectors):
    return lambda texts: [vectors[text] for text in texts]


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
    np.testing.assert_array_equal(answer_ranks(queries, answers, OWN[:3]), [[1], [1], [3]])
    scores = score_retrieval(queries, answers, recall_at=(2, 3))
    assert (scores.num_pairs, scores.num_queries, scores.num_answers) == (3, 3, 3)
    assert scores.precision_at_1 == pytest.approx(2 / 3)
    assert scores.mean_reciprocal_rank == scores.mean_average_precision == pytest.approx((1 + 1 + 1 / 3) / 3)
    assert scores.ndcg_at_10 == pytest.approx((1 + 1 + 1 / 2) / 3)  # 1 / log2(3 + 1)
    assert scores.recall == {2: pytest.approx(2 / 3), 3: 1.0}


# Products with the answers "w", "x", "y", "z": a: 4 3 2 1, b: 1 2 3 4.
SHARED = embedder_of(a=[1.0, 0.0], b=[0.0, 1.0], w=[4.0, 1.0], x=[3.0, 2.0], y=[2.0, 3.0], z=[1.0, 4.0])
ROWS = [("a", "x"), ("b", "x"), ("a", "z"), ("b", "w"), ("a", "x"), ("b", "y")]
# Ranks of the right ones: 2 and 4 of a; 2, 3 and 4 of b.
SHARED_SCORES = RetrievalScores(
    num_pairs=6,
    num_queries=2,
    num_answers=4,
    precision_at_1=0.0,
    mean_reciprocal_rank=0.5,
    mean_average_precision=pytest.approx(((1 / 2 + 2 / 4) / 2 + (1 / 2 + 2 / 3 + 3 / 4) / 3) / 2),
    ndcg_at_10=pytest.approx(
        (
            (1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3))
            + (1 / np.log2(3) + 1 / 2 + 1 / np.log2(5)) / (1 + 1 / np.log2(3) + 1 / 2)
        )
        / 2
    ),
    recall={3: pytest.approx((1 / 2 + 2 / 3) / 2), 4: 1.0},
)


def test_rows_that_share_queries_and_answers():
    queries, answers = zip(*ROWS)
    assert score_retrieval(queries, answers, SHARED, recall_at=(3, 4)) == SHARED_SCORES


def test_vectors_that_share_queries_and_answers():
    vectors = [np.array(SHARED(column)) for column in zip(*ROWS)]
    ids = dict(zip(("query_ids", "answer_ids"), zip(*ROWS)))
    assert score_retrieval(*vectors, recall_at=(3, 4), **ids) == SHARED_SCORES
    numbers = {name: np.unique(column, return_inverse=True)[1] for name, column in ids.items()}
    assert score_retrieval(*vectors, recall_at=(3, 4), **numbers) == SHARED_SCORES
    without = score_retrieval(*vectors)
    assert (without.num_queries, without.num_answers) == (6, 6)


def test_a_perfect_embedder_is_perfect_where_answers_are_shared():
    """As in data of questions, most of which have an answer that others have too."""
    answers = [f"answer {i % 7}" for i in range(60)]
    queries = [f"question {i}" for i in range(60)]
    scores = score_retrieval(queries, answers, lambda texts: [np.eye(7)[int(text.split()[1]) % 7] for text in texts])
    assert (scores.num_pairs, scores.num_queries, scores.num_answers) == (60, 60, 7)
    assert scores.precision_at_1 == scores.mean_reciprocal_rank == scores.mean_average_precision == 1.0
    assert scores.ndcg_at_10 == scores.recall[5] == 1.0


def test_a_query_is_no_candidate_for_itself():
    """Pairs in both directions: the nearest text to each is the text itself."""
    near = embedder_of(a=[1.0, 0.0], b=[0.9, 0.1], c=[0.0, 1.0], d=[0.1, 0.9])
    queries, answers = ["a", "b", "c", "d"], ["b", "a", "d", "c"]
    assert score_retrieval(queries, answers, near).precision_at_1 == 1.0
    # Unless a row says that it is right: a and b find a, but c finds a before c.
    scores = score_retrieval(["a", "b", "c"], ["a", "a", "c"], embedder_of(a=[1, 0], b=[1, 0], c=[0.8, 0.1]))
    assert scores.mean_reciprocal_rank == pytest.approx((1 + 1 + 1 / 2) / 3)


def test_figures_are_those_of_scikit_learn():
    is_right = RANDOM.random((57, 91)) < 0.1
    is_right[np.arange(57), RANDOM.integers(0, 91, 57)] = True
    documents = RANDOM.normal(size=(91, 4)).astype("float32")
    query_ids, answer_ids = np.nonzero(is_right)
    ids = {"query_ids": query_ids, "answer_ids": answer_ids}
    scores = score_retrieval(QUERIES[query_ids], documents[answer_ids], recall_at=(5, 91), **ids)
    used = is_right.any(axis=0)
    assert (scores.num_pairs, scores.num_queries, scores.num_answers) == (is_right.sum(), 57, used.sum())
    products, is_right = (QUERIES @ documents.T)[:, used], is_right[:, used]
    average_precision = label_ranking_average_precision_score(is_right, products)
    assert scores.mean_average_precision == pytest.approx(average_precision)
    assert scores.ndcg_at_10 == pytest.approx(ndcg_score(is_right, products, k=10, ignore_ties=True))
    first = np.take_along_axis(is_right, np.argsort(-products), axis=1)
    assert scores.recall == {5: pytest.approx(np.mean(first[:, :5].sum(1) / first.sum(1))), 91: 1.0}
    assert scores.precision_at_1 == np.mean(first[:, 0])
    assert scores.mean_reciprocal_rank == pytest.approx(np.mean(1 / (1 + first.argmax(axis=1))))


@pytest.mark.parametrize("at_once", [1, 57 * 5 + 3, 2**24])
def test_ranks_are_those_of_sorting(monkeypatch, at_once):
    monkeypatch.setattr(retrieval, "_PRODUCTS_AT_ONCE", at_once)
    wanted = ranks_one_by_one()
    assert wanted.max() > 10 and 5 < np.sum(wanted == 1) < 50
    np.testing.assert_array_equal(answer_ranks(QUERIES, ANSWERS, OWN), wanted[:, None])
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
    answer_ranks(QUERIES.view(Watched), ANSWERS.view(Watched), OWN)
    assert 57 * 3 in made and max(made) <= 57 * 4  # the vectors


def test_ties_count_against_us():
    """Also where the products of copies differ in their last bits."""
    vectors = np.random.default_rng(9).normal(size=(101, 67)).astype("float32")
    answers = vectors[np.arange(101) // 2]  # those of 0 and 1 are equal, and so on
    own = list(np.arange(101)[:, None])
    np.testing.assert_array_equal(answer_ranks(answers, answers, own), [[2]] * 100 + [[1]])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_constant_embedder_ranks_last(value):
    vectors = np.full((9, 3), value, "float32")
    np.testing.assert_array_equal(answer_ranks(vectors, np.ones((9, 3), "float32"), OWN[:9]), [[9]] * 9)
    several = answer_ranks(vectors, np.ones((9, 3), "float32"), [np.array([4, 0, 7])] * 9)
    np.testing.assert_array_equal(several, [[7, 8, 9]] * 9)
    scores = score_retrieval([*"abcabc"], [*"uvwxyz"], lambda texts: np.full((len(texts), 3), value), recall_at=(4,))
    assert scores.precision_at_1 == scores.recall[4] == 0.0
    assert scores.mean_reciprocal_rank == pytest.approx(1 / 5)
    assert scores.mean_average_precision == pytest.approx((1 / 5 + 2 / 6) / 2)


def test_texts_and_an_embedder():
    vectors = {**{f"q{i}": v for i, v in enumerate(QUERIES)}, **{f"a{i}": v for i, v in enumerate(ANSWERS)}}
    texts = [f"q{i}" for i in range(57)], [f"a{i}" for i in range(57)]
    assert score_retrieval(*texts, embedder_of(**vectors)) == score_retrieval(QUERIES, ANSWERS)


def test_each_text_is_embedded_once():
    embedded = []
    score_retrieval(["a", "b", "a"], ["x", "x", "y"], lambda texts: embedded.append(texts) or np.eye(4))
    assert embedded == [["a", "b", "x", "y"]]


def test_bad_input():
    with pytest.raises(ValueError, match="Received: queries=57, answers=56"):
        score_retrieval(QUERIES, ANSWERS[1:])
    with pytest.raises(ValueError, match="Expected a positive integer. Received: recall_at=0"):
        score_retrieval(QUERIES, ANSWERS, recall_at=(5, 0))
    with pytest.raises(ValueError, match=r"Expected vectors \(N, D\) of the same width. Received: shapes"):
        score_retrieval(QUERIES, ANSWERS[:, 1:])
    with pytest.raises(ValueError, match="Received: answer_ids=56, rows=57"):
        score_retrieval(QUERIES, ANSWERS, answer_ids=range(56))
    with pytest.raises(
        ValueError, match="equal vectors for equal answer_ids. Received: different ones in rows 2 and 9"
    ):
        score_retrieval(QUERIES, ANSWERS, answer_ids=[2 if i == 9 else i for i in range(57)])
    with pytest.raises(ValueError, match="query_ids and answer_ids with vectors only. Received: embed"):
        score_retrieval(["a"], ["b"], lambda texts: np.eye(2), answer_ids=[0])
