import numpy as np
import pytest

from keras_transformer.search import community_detection
from tests.search.made_vectors import cosines, vectors


def brute_force(corpus, threshold, least):
    """By the definition: groups around every text, the largest first, each taking its texts from later ones."""
    scores = cosines(corpus, corpus)
    groups = []
    for centre, row in enumerate(scores):
        group = [int(j) for j in np.argsort(-row, kind="stable") if row[j] >= threshold]
        if len(group) >= least:
            groups.append((centre, group))
    found, taken = [], set()
    for centre, group in sorted(groups, key=lambda item: -len(item[1])):
        left = [j for j in group if j not in taken]
        if centre not in taken and len(left) >= least:
            found.append([centre, *(j for j in left if j != centre)])
            taken.update(found[-1])
    return sorted(found, key=len, reverse=True)


@pytest.mark.parametrize("threshold, least", [(0.75, 10), (0.9, 2), (0.5, 1), (0.999999, 2)])
def test_brute_force(threshold, least, monkeypatch):
    monkeypatch.setattr("keras_transformer.search.communities._ROWS_AT_ONCE", 37)
    corpus = vectors(200, seed=4)
    found = community_detection(corpus, threshold=threshold, min_community_size=least)
    expected = brute_force(corpus, threshold, least)
    assert [set(group.tolist()) for group in found] == [set(group) for group in expected] and found
    assert [group[0] for group in found] == [group[0] for group in expected]
    for group in found:
        assert (np.diff(cosines(corpus[group[:1]], corpus[group])[0][1:]) < 1e-6).all()


def test_texts():
    lengths = lambda texts: [[len(text), 1] for text in texts]  # noqa: E731
    found = community_detection(["a", "aaaaaaaa", "aaaaaaaaa", "b"], lengths, 0.99, 2)
    assert [group.tolist() for group in found] == [[0, 3], [1, 2]]


def test_too_few():
    assert community_detection(vectors(9)) == []
    assert community_detection(np.zeros((0, 3))) == []


def test_bad_input():
    with pytest.raises(ValueError, match=r"Expected a cosine in \[-1, 1\]\. Received: threshold=2"):
        community_detection(vectors(3), threshold=2)
    with pytest.raises(ValueError, match="min_community_size=0"):
        community_detection(vectors(3), min_community_size=0)
