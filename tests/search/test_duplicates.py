import numpy as np
import pytest

from keras_transformer.search import near_duplicates
from tests.search.made_vectors import cosines, vectors


@pytest.mark.parametrize("threshold", [0.6, 0.9, 0.999, -1])
def test_one_after_the_other(threshold, monkeypatch):
    monkeypatch.setattr("keras_transformer.search.duplicates._ROWS_AT_ONCE", 31)
    monkeypatch.setattr("keras_transformer.search.duplicates._KEPT_AT_ONCE", 10)
    corpus = vectors(150, seed=2)
    scores, kept, expected = cosines(corpus, corpus), [], []
    for row in range(150):
        repeated = [earlier for earlier in kept if scores[row, earlier] >= threshold]
        expected.append(repeated[0] if repeated else row)
        kept += [] if repeated else [row]
    np.testing.assert_array_equal(near_duplicates(corpus, threshold=threshold), expected)
    assert 1 <= len(kept) < 150


def test_texts():
    assert near_duplicates(["aaa", "b", "ccc"], lambda texts: np.eye(4)[[len(t) for t in texts]]).tolist() == [0, 1, 0]
    assert near_duplicates(np.zeros((3, 2))).tolist() == [0, 1, 2]


def test_bad_input():
    with pytest.raises(ValueError, match="Received: threshold=1.5"):
        near_duplicates(vectors(3), threshold=1.5)
