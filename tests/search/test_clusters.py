import sys

import numpy as np
import pytest

from keras_transformer.search import agglomerative_clustering, k_means

RANDOM = np.random.default_rng(9)
OWN = np.arange(60) % 4
# Four groups on the sphere, of any length.
VECTORS = (np.eye(6)[OWN] + 0.1 * RANDOM.normal(size=(60, 6))) * RANDOM.uniform(0.1, 9, size=(60, 1))
TEXTS = [f"text {number}" for number in range(60)]


def embed(texts):
    return np.array([VECTORS[int(text.split()[1])] for text in texts])


@pytest.mark.parametrize(
    "found",
    [
        k_means(TEXTS, embed, num_clusters=4),
        k_means(VECTORS, num_clusters=4, seed=3),
        agglomerative_clustering(TEXTS, embed, num_clusters=4),
        agglomerative_clustering(VECTORS, threshold=0.5),
    ],
)
def test_groups_are_found(found):
    np.testing.assert_array_equal(found, OWN)  # numbered in the order of their first texts


def test_average_linkage_by_hand():
    # Cosines: a and b 0.8, b and c 0.6, a and c 0 (0.48 + ...): a, b merge at 0.8, then with c at (0.6 + 0) / 2.
    vectors = [[1, 0], [0.8, 0.6], [0, 1]]
    np.testing.assert_array_equal(agglomerative_clustering(vectors, threshold=0.81), [0, 1, 2])
    np.testing.assert_array_equal(agglomerative_clustering(vectors, threshold=0.31), [0, 0, 1])
    np.testing.assert_array_equal(agglomerative_clustering(vectors, threshold=0.29), [0, 0, 0])


def test_few_texts():
    assert agglomerative_clustering(["a"], lambda texts: [[1.0]], num_clusters=1).tolist() == [0]
    assert agglomerative_clustering(np.zeros((0, 3)), threshold=0.5).tolist() == []
    assert k_means([[1, 0], [0, 1]], num_clusters=2).tolist() == [0, 1]
    equal = [[0.3, 0.7], [0.3, 0.7], [0.3, 0.6]]
    assert agglomerative_clustering(equal, threshold=1).tolist() == [0, 0, 1]


def test_bad_input(monkeypatch):
    with pytest.raises(ValueError, match="at most as many clusters as texts, 60. Received: 61"):
        k_means(VECTORS, num_clusters=61)
    with pytest.raises(ValueError, match="num_clusters=0"):
        k_means(VECTORS, num_clusters=0)
    with pytest.raises(ValueError, match="either num_clusters or threshold. Received: num_clusters=2, threshold=0.5"):
        agglomerative_clustering(VECTORS, num_clusters=2, threshold=0.5)
    with pytest.raises(ValueError, match="either num_clusters or threshold. Received: num_clusters=None"):
        agglomerative_clustering(VECTORS)
    with pytest.raises(ValueError, match=r"a cosine in \[-1, 1\]. Received: threshold=2"):
        agglomerative_clustering(VECTORS, threshold=2)
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(ImportError, match=r"pip install keras-transformer-layers\[search\]"):
        k_means(VECTORS)
