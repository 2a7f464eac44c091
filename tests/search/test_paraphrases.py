import numpy as np
import pytest

from keras_transformer.search import paraphrase_mining
from tests.search.made_vectors import cosines, vectors


def brute_force(corpus, top_k):
    """{(i, j): score} of all pairs of which one is among the nearest of the other."""
    scores = cosines(corpus, corpus)
    np.fill_diagonal(scores, -np.inf)
    near = np.argsort(-scores, axis=1, kind="stable")[:, :top_k]
    return {(min(i, j), max(i, j)): scores[i, j] for i, row in enumerate(near.tolist()) for j in row if i != j}


@pytest.mark.parametrize("top_k", [1, 4, 500])
def test_brute_force(top_k, monkeypatch):
    monkeypatch.setattr("keras_transformer.search.paraphrases._QUERIES_AT_ONCE", 16)
    corpus = vectors(90)[:-1]  # without the zero vector, whose neighbours all tie
    expected = brute_force(corpus, top_k)
    found = paraphrase_mining(corpus, top_k=top_k)
    assert set(zip(found.first.tolist(), found.second.tolist())) == set(expected)
    assert (np.diff(found.scores) <= 0).all() and len(found.scores) == len(expected)
    np.testing.assert_allclose(found.scores, [expected[pair] for pair in zip(*map(list, found[:2]))], atol=1e-6)
    fewer = paraphrase_mining(corpus, top_k=top_k, max_pairs=7)
    for all_of_them, some in zip(found, fewer):
        np.testing.assert_array_equal(all_of_them[:7], some)


def test_texts_that_are_all_alike_are_no_pairs_with_themselves():
    found = paraphrase_mining(np.ones((9, 3)), top_k=2)
    assert (found.first < found.second).all()
    assert set(np.concatenate([found.first, found.second]).tolist()) == set(range(9))


def test_few_texts():
    assert [len(column) for column in paraphrase_mining(["a"], lambda texts: [[1.0]])] == [0, 0, 0]
    assert [len(column) for column in paraphrase_mining(np.zeros((0, 2)))] == [0, 0, 0]


def test_bad_input():
    with pytest.raises(ValueError, match="Received: top_k=0"):
        paraphrase_mining(vectors(3), top_k=0)
    with pytest.raises(ValueError, match="Received: max_pairs=0"):
        paraphrase_mining(vectors(3), max_pairs=0)
