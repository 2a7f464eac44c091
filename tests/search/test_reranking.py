import numpy as np
import pytest

from keras_transformer.search import Hit, RerankedIndex, SemanticIndex, rerank

TEXTS = ["a dog", "a hound", "the dog runs", "rain", "a log"]


class Lengths:
    def embed(self, texts):
        return [[len(text), 5] for text in texts]


class SharedLetters:
    calls = 0

    def score(self, pairs):
        self.calls += 1
        return np.array([len({*query} & {*text}) for query, text in pairs])


def index():
    index = SemanticIndex(Lengths())
    index.add(TEXTS)
    return index


def test_hits_get_the_scorers_order_and_scores():
    queries = ["dog", "rain"]
    found = index().search(queries, top_k=5)
    scorer = SharedLetters()
    ranked = rerank(queries, found, scorer)
    assert scorer.calls == 1
    for query, hits, before in zip(queries, ranked, found):
        shared = {hit.id: len({*query} & {*hit.text}) for hit in before}
        # Of equal scores what was found first comes first.
        assert [hit.id for hit in hits] == sorted(shared, key=lambda id: -shared[id])
        assert [hit.score for hit in hits] == [shared[hit.id] for hit in hits]
        assert all(TEXTS[hit.id] == hit.text for hit in hits)
    assert rerank(queries, found, scorer, top_k=2) == [hits[:2] for hits in ranked]
    assert rerank(["x", "dog"], [[], found[0]], scorer) == [[], ranked[0]]


def test_an_index_is_searched_and_reranked():
    plain = index()
    reranked = RerankedIndex(plain, SharedLetters(), num_candidates=3)
    wanted = rerank(["dog"], plain.search(["dog"], 3), SharedLetters(), 2)
    assert reranked.search(["dog"], top_k=2) == wanted
    assert len(reranked.search(["dog"], top_k=4)[0]) == 4
    mask = np.array([True, False, False, True, False])
    assert [hit.id for hit in reranked.search(["dog"], mask=mask)[0]] == [0, 3]


def test_bad_input():
    found = [[Hit(0, 0.5, "a"), Hit(1, 0.4, "b")]]
    with pytest.raises(ValueError, match="hits for each of the queries. Received: 1 lists"):
        rerank(["a", "b"], found, SharedLetters())

    class Classes:
        def score(self, pairs):
            return np.zeros((len(pairs), 3))

    with pytest.raises(ValueError, match=r"a score of each of 2 pairs. Received: shape \(2, 3\)"):
        rerank(["a"], found, Classes())
    with pytest.raises(ValueError, match="num_candidates=0"):
        RerankedIndex(index(), SharedLetters(), num_candidates=0)
