"""Search, pairs and groups beside sentence-transformers' functions of the same names."""

import numpy as np
import pytest

from keras_transformer.search import community_detection, near_duplicates, nearest_vectors, paraphrase_mining
from tests.search.made_vectors import vectors

util = pytest.importorskip("sentence_transformers.util")
torch = pytest.importorskip("torch")
# Without the zero vector and the repeated one of these, which tie: torch gives ties in any order.
CORPUS = np.delete(vectors(700, 24, groups=30), [0, 350, 699], axis=0)


def test_semantic_search():
    queries = vectors(40, 24, seed=1, groups=30)[1:-1]
    theirs = util.semantic_search(torch.from_numpy(queries), torch.from_numpy(CORPUS), top_k=12)
    ours = nearest_vectors(queries, CORPUS, 12)
    np.testing.assert_array_equal(ours.ids, [[hit["corpus_id"] for hit in hits] for hits in theirs])
    np.testing.assert_allclose(ours.scores, [[hit["score"] for hit in hits] for hits in theirs], atol=1e-6)


@pytest.mark.parametrize("top_k, max_pairs", [(3, 500_000), (100, 50), (10, 1000)])
def test_paraphrase_mining(top_k, max_pairs):
    theirs = util.paraphrase_mining_embeddings(torch.from_numpy(CORPUS), top_k=top_k, max_pairs=max_pairs)
    ours = paraphrase_mining(CORPUS, top_k=top_k, max_pairs=max_pairs)
    np.testing.assert_allclose(ours.scores, [score for score, _, _ in theirs], atol=1e-6)
    assert set(zip(ours.first.tolist(), ours.second.tolist())) == {(i, j) for _, i, j in theirs}


@pytest.mark.parametrize("threshold, least", [(0.75, 10), (0.9, 2), (0.6, 5)])
def test_community_detection(threshold, least):
    theirs = util.community_detection(torch.from_numpy(CORPUS), threshold=threshold, min_community_size=least)
    ours = community_detection(CORPUS, threshold=threshold, min_community_size=least)
    assert [group.tolist() for group in ours] == [list(map(int, group)) for group in theirs] and ours


@pytest.mark.parametrize("threshold", [0.6, 0.9])
def test_near_duplicates(threshold):
    """sentence-transformers has no such function: in the order of the texts, by the pairs that its mining finds."""
    pairs = util.paraphrase_mining_embeddings(torch.from_numpy(CORPUS), top_k=len(CORPUS))
    near = [[] for _ in CORPUS]
    for score, i, j in pairs:
        if score >= threshold:
            near[max(i, j)].append(min(i, j))
    wanted = []
    for number, earlier in enumerate(near):
        wanted.append(min((other for other in earlier if wanted[other] == other), default=number))
    found = near_duplicates(CORPUS, threshold=threshold)
    assert found.tolist() == wanted and np.count_nonzero(found != np.arange(len(CORPUS))) > 0
