import collections
import math
import sys

import numpy as np
import pytest

from keras_transformer.search import KeywordIndex
from keras_transformer.search.keyword_index import words
from tests import made_data


def bm25(texts, query, k1=1.5, b=0.75):
    """The formula, with the idf of Lucene."""
    tokens = [words(text) for text in texts]
    mean = sum(map(len, tokens)) / len(tokens)
    scores = np.zeros(len(texts))
    for word in words(query):
        frequency = sum(word in some for some in tokens)
        idf = math.log(1 + (len(texts) - frequency + 0.5) / (frequency + 0.5))
        for number, some in enumerate(tokens):
            count = collections.Counter(some)[word]
            scores[number] += idf * count / (count + k1 * (1 - b + b * len(some) / mean))
    return scores


@pytest.mark.parametrize("masked", [False, True])
def test_the_formula(masked):
    pytest.importorskip("bm25s")
    texts = [*made_data.sentences(60, seed=3), "", "ÄRGER 漢字"]
    mask = np.arange(62) % 3 == 0 if masked else None
    queries = ["red dog, dog", "ärger", "the nothing", "", "one BLUE"]
    for query, found in zip(queries, KeywordIndex(texts).search(queries, 15, mask), strict=True):
        scores = bm25(texts, query).round(5) * (1 if mask is None else mask)
        order = [row for row in np.argsort(-scores, kind="stable").tolist() if scores[row] > 0][:15]
        assert [round(score, 4) for _, score in found] == pytest.approx(scores[order], abs=2e-4)
        assert {row for row, _ in found} <= set(np.flatnonzero(scores >= min(scores[order], default=0) - 1e-4).tolist())


def test_nothing():
    pytest.importorskip("bm25s")
    assert KeywordIndex([]).search(["a"]) == [[]]
    assert KeywordIndex(["", "?!"]).search(["a"]) == [[]]
    assert KeywordIndex(["ab"], tokenize=list).search(["b", "c"], top_k=1)[1] == []
    with pytest.raises(ValueError, match="Received: top_k=0"):
        KeywordIndex(["a"]).search(["a"], top_k=0)


def test_without_bm25s_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-transformer-layers\[search\]'"):
        KeywordIndex(["a"])
