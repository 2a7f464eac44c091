import numpy as np
import pytest

from keras_transformer.search.candidates import search_everywhere, search_graph
from keras_transformer.search.indexed_texts import IndexedTexts
from keras_transformer.search.layout import Layout
from keras_transformer.search.unit_vectors import unit_vectors
from tests.search.made_vectors import cosines, vectors

CORPUS, QUERIES = unit_vectors(vectors(300, 70)), unit_vectors(vectors(11, 70, seed=1))


def indexed(precision, rescoring=None, approximate=False):
    texts = IndexedTexts(Layout(precision, rescoring), approximate)
    for start in (0, 120):  # in two blocks
        texts.add([""] * len(CORPUS[start : start + 120 + start]), CORPUS[start : start + 120 + start])
    return texts


@pytest.mark.parametrize("share", [1.0, 0.6, 0.1])
@pytest.mark.parametrize("precision, rescoring", [("float32", None), ("int8", None), ("int8", "float32")])
def test_everywhere(precision, rescoring, share, monkeypatch):
    monkeypatch.setattr("keras_transformer.search.candidates.ROWS_AT_ONCE", 50)
    monkeypatch.setattr("keras_transformer.search.candidates.QUERIES_AT_ONCE", 4)
    texts = indexed(precision, rescoring)
    allowed = np.random.default_rng(0).random(len(CORPUS)) < share
    kept = texts.vectors() if rescoring is None else CORPUS
    scores = np.where(allowed, cosines(QUERIES, CORPUS) if rescoring else QUERIES @ kept.T, -9)
    for (rows, found), expected in zip(search_everywhere(texts, QUERIES, 9, allowed, 4), scores, strict=True):
        np.testing.assert_allclose(found, np.sort(expected)[::-1][:9], atol=1e-6)
        np.testing.assert_allclose(found, expected[rows], atol=1e-6)


@pytest.mark.parametrize("rescoring", [None, "int8", "float32"])
def test_binary_by_definition(rescoring):
    """The first candidates have the most equal signs; they are ranked by the better vectors."""
    texts = indexed("binary", rescoring)
    best = texts.vectors()
    distances = ((QUERIES > 0)[:, None] != (CORPUS > 0)[None]).sum(axis=2)
    everything = np.ones(len(CORPUS), bool)
    for number, (rows, scores) in enumerate(search_everywhere(texts, QUERIES, 5, everything, 3)):
        candidates = np.sort(np.argsort(distances[number], kind="stable")[:15])
        cosines_of = best[candidates] @ QUERIES[number]
        expected = candidates[np.argsort(-cosines_of, kind="stable")[:5]]
        np.testing.assert_array_equal(rows, expected)
        np.testing.assert_allclose(scores, best[rows] @ QUERIES[number], atol=1e-6)


@pytest.mark.parametrize("precision, rescoring", [("float32", None), ("int8", None), ("binary", "float32")])
def test_the_graph_finds_nearly_the_same(precision, rescoring):
    pytest.importorskip("usearch")
    texts = indexed(precision, rescoring, approximate=True)
    everywhere = search_everywhere(texts, QUERIES, 9, np.ones(len(CORPUS), bool), 8)
    found = search_graph(texts, QUERIES, 9, 8)
    same = [len(np.intersect1d(a, b)) for (a, _), (b, _) in zip(everywhere, found, strict=True)]
    assert sum(same) > 0.9 * 9 * len(QUERIES)
    best = texts.vectors()
    for query, (rows, scores) in zip(QUERIES, found):
        np.testing.assert_allclose(scores, best[rows] @ query, atol=1e-6)
        assert (np.diff(scores) <= 0).all()
