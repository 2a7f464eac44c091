import numpy as np
import pytest

from keras_transformer.search import HybridIndex, KeywordIndex, SemanticIndex, reciprocal_rank_fusion
from tests import made_data
from tests.search.made_vectors import vectors

pytest.importorskip("bm25s")
TEXTS = list(dict.fromkeys(made_data.sentences(50, seed=3)))


class Embedder:
    def embed(self, texts):
        return vectors(200, seed=5)[[sum(text.encode()) % 199 for text in texts]]


@pytest.fixture
def index():
    index = SemanticIndex(Embedder())
    index.add(TEXTS)
    return index


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.3, 2.0)])
def test_both_rankings_are_merged(index, weights):
    hybrid = HybridIndex(index, num_candidates=7, k=20, weights=weights)
    index.remove([4, 8])
    index.add(["a new one"])  # the words are counted anew
    queries = ["red dog", "new"]
    mask = np.arange(len(index)) % 4 > 0
    by_meaning, by_words = index.search(queries, 7, mask), KeywordIndex(index.texts).search(queries, 7, mask)
    for hits, near, rows in zip(hybrid.search(queries, 5, mask), by_meaning, by_words, strict=True):
        rankings = [[hit.id for hit in near], [index.ids[row] for row, _ in rows]]
        expected = reciprocal_rank_fusion(rankings, 20, weights)[:5]
        assert [(hit.id, hit.score) for hit in hits] == expected
        assert all(hit.text == index.text(hit.id) and mask[np.searchsorted(index.ids, hit.id)] for hit in hits)
    assert hybrid.search(["new"], 3)[0][0].text == "a new one" or weights == (1.0, 1.0)


def test_bad_input(index):
    for change, message in [
        ({"k": 0}, "Received: k=0"),
        ({"num_candidates": 0}, "Received: num_candidates=0"),
        ({"weights": (1.0,)}, "Expected a weight for each ranking"),
    ]:
        with pytest.raises(ValueError, match=message):
            HybridIndex(index, **change)
    with pytest.raises(ValueError, match="Received: top_k=0"):
        HybridIndex(index).search(["a"], top_k=0)
    with pytest.raises(ValueError, match="Expected a boolean mask"):
        HybridIndex(index).search(["a"], mask=[True])
