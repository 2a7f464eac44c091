import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from keras_transformer.evaluation import score_information_retrieval
from tests.evaluation.made_retrieval import embed_as, made_task

DEPTHS = (1, 3, 10)


def by_definition(queries, documents, relevance, vectors, k):
    """nDCG, MRR, MAP, recall and precision of each query, by sorting all documents."""
    names = list(documents)
    for query, judged in relevance.items():
        cosines = [np.dot(vectors[queries[query]], vectors[text]) for text in documents.values()]
        cosines /= np.linalg.norm([vectors[text] for text in documents.values()], axis=1)
        gains = np.array([max(judged.get(names[place], 0), 0) for place in np.argsort(-cosines)])
        count = sum(gain > 0 for gain in judged.values())
        hits = gains[:k] > 0
        first = np.flatnonzero(hits)
        precisions = np.cumsum(hits) / np.arange(1, k + 1)
        yield (
            ndcg_score([[judged.get(name, 0) for name in names]], [cosines], k=k),
            1 / (1 + first[0]) if len(first) else 0,
            np.sum(precisions[hits]) / count,
            hits.sum() / count,
            hits.mean(),
        )


def test_figures_by_hand():
    # Cosines with "q": 3, 4, 2 and 1 fifths or so, in the order b a c d.
    vectors = {"q": [1, 0], "A": [6, 8], "B": [8, 6], "C": [1, 2], "D": [1, 9]}
    task = {"q": "q"}, {name: name.upper() for name in "abcd"}, {"q": {"a": 1, "d": 2, "b": 0}}
    scores = score_information_retrieval(*task, embed_as(vectors), depths=(1, 2, 4))
    assert (scores.num_queries, scores.num_documents, scores.num_relevant) == (1, 4, 2)
    ideal = 2 + 1 / np.log2(3)
    assert scores.ndcg == {
        1: 0.0,
        2: pytest.approx(1 / np.log2(3) / ideal),
        4: pytest.approx((1 / np.log2(3) + 2 / np.log2(5)) / ideal),
    }
    assert scores.mean_reciprocal_rank == {1: 0.0, 2: 0.5, 4: 0.5}
    assert scores.mean_average_precision == {1: 0.0, 2: 0.25, 4: 0.5}
    assert scores.recall == {1: 0.0, 2: 0.5, 4: 1.0}
    assert scores.precision == {1: 0.0, 2: 0.5, 4: 0.5}


def test_figures_are_those_of_sorting_and_scikit_learn():
    queries, documents, relevance, vectors = made_task()
    scores = score_information_retrieval(queries, documents, relevance, embed_as(vectors), depths=DEPTHS)
    for k in DEPTHS:
        wanted = np.mean(list(by_definition(queries, documents, relevance, vectors, k)), axis=0)
        found = [scores.ndcg, scores.mean_reciprocal_rank, scores.mean_average_precision, scores.recall]
        np.testing.assert_allclose([of[k] for of in (*found, scores.precision)], wanted, rtol=1e-6)
    assert 0.2 < scores.ndcg[10] < 0.9


def test_ties_count_against_us():
    vectors = {text: [1, 2] for text in "qABC"}
    task = {"q": "q"}, {"a": "A", "b": "B", "c": "C"}, {"q": {"a": 2, "b": 1}}
    scores = score_information_retrieval(*task, embed_as(vectors), depths=(3,))
    ideal = 2 + 1 / np.log2(3)
    assert scores.ndcg[3] == pytest.approx((1 / np.log2(3) + 2 / 2) / ideal)  # c, b, a


def test_queries_without_judgement_or_relevant_documents_and_unknown_documents():
    vectors = {"q": [1, 0], "A": [1, 0], "B": [0, 1]}
    task = {"q": "q", "r": "q", "s": "q"}, {"a": "A", "b": "B"}, {"q": {"a": 1, "gone": 1}, "s": {"b": 0}}
    scores = score_information_retrieval(*task, embed_as(vectors), depths=(1,))
    assert (scores.num_queries, scores.num_relevant) == (2, 2)
    assert scores.precision == {1: 0.5} and scores.recall == {1: 0.25} and scores.ndcg == {1: 0.5}


def test_identical_ids():
    vectors = {"A": [1, 0], "B": [3, 4], "C": [0, 1]}
    task = {"a": "A"}, {"a": "A", "b": "B", "c": "C"}, {"a": {"b": 1, "a": 1}}
    assert score_information_retrieval(*task, embed_as(vectors), depths=(1,)).recall == {1: 0.5}
    without = score_information_retrieval(*task, embed_as(vectors), depths=(1,), ignore_identical_ids=True)
    assert without.recall == {1: 1.0} and without.num_relevant == 1


def test_documents_have_an_encoder_of_their_own():
    task = {"q": "dog"}, {"a": "dog", "b": "tree"}, {"q": {"b": 1}}
    sides = embed_as({"dog": [1, 0]}), embed_as({"dog": [0, 1], "tree": [1, 0]})
    assert score_information_retrieval(*task, *sides, depths=(1,)).ndcg == {1: 1.0}
    with pytest.raises(ValueError, match="of the same width"):
        score_information_retrieval(*task, sides[0], embed_as({"dog": [0], "tree": [1]}))


def test_bad_input():
    task = {"q": "q"}, {"a": "q"}, {"q": {"a": 1}}
    with pytest.raises(ValueError, match="depths=0"):
        score_information_retrieval(*task, np.ones, depths=(0,))
    with pytest.raises(ValueError, match="Received: documents=0, relevance=1"):
        score_information_retrieval(task[0], {}, task[2], np.ones)
    with pytest.raises(ValueError, match="judgements of the given queries. Received: 'x'"):
        score_information_retrieval(*task[:2], {"x": {"a": 1}}, np.ones)
