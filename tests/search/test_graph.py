import sys

import numpy as np
import pytest

from keras_transformer.search.encodings import encoding_of
from keras_transformer.search.graph import NeighbourGraph
from keras_transformer.search.unit_vectors import unit_vectors
from tests.search.made_vectors import vectors


@pytest.mark.parametrize("precision", ["float32", "int8", "binary"])
def test_most_of_the_nearest_are_found(precision):
    pytest.importorskip("usearch")
    corpus, queries = (encoding_of(precision).encode(unit_vectors(vectors(n, 40, seed=n))) for n in (600, 20))
    graph = NeighbourGraph(precision, 40)
    assert [ids.tolist() for ids in graph.search(queries, 5)] == [[]] * 20
    graph.add(np.arange(0, 1200, 2), corpus)
    scores = encoding_of(precision).scores(encoding_of(precision).decode(queries, 40), corpus)
    hits = 0
    for found, row in zip(graph.search(queries, 30), scores):
        assert (np.diff(found) > 0).all() and len(found) == 30
        hits += np.count_nonzero(row[found // 2] >= np.sort(row)[-30])
    assert hits > 0.9 * 20 * 30
    again = NeighbourGraph(precision, 40, np.frombuffer(graph.to_bytes(), "uint8"))
    for found, expected in zip(again.search(queries, 30), graph.search(queries, 30)):
        np.testing.assert_array_equal(found, expected)
    again.remove(np.arange(0, 1180, 2))
    assert all(found.tolist() == list(range(1180, 1200, 2)) for found in again.search(queries, 30))


def test_without_usearch_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "usearch", None)
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-transformer-layers\[search\]'"):
        NeighbourGraph("float32", 3)
