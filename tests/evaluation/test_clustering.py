import numpy as np
import pytest
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import v_measure_score

from keras_transformer.evaluation import score_clustering

RANDOM = np.random.default_rng(7)
LABELS = np.arange(90) % 3
VECTORS = (np.eye(5)[LABELS] + 0.4 * RANDOM.normal(size=(90, 5))).astype("float32")


def v_measure(labels, clusters):
    """By the definition: entropies of the table of counts."""
    table = np.array(
        [[np.sum((labels == a) & (clusters == b)) for b in np.unique(clusters)] for a in np.unique(labels)]
    )
    joint = table / table.sum()

    def entropy(p):
        return -np.sum(p[p > 0] * np.log(p[p > 0]))

    of_labels, of_clusters, both = entropy(joint.sum(1)), entropy(joint.sum(0)), entropy(joint.ravel())
    homogeneity = 1 - (both - of_clusters) / of_labels
    completeness = 1 - (both - of_labels) / of_clusters
    return homogeneity, completeness, 2 * homogeneity * completeness / (homogeneity + completeness)


def test_figures_are_those_of_the_definition():
    """And the clusters those of MTEB."""
    scores = score_clustering(VECTORS, [["a", "b", "c"][label] for label in LABELS], num_runs=3)
    clusters = [
        MiniBatchKMeans(3, batch_size=500, n_init="auto", random_state=seed).fit_predict(VECTORS) for seed in range(3)
    ]
    wanted = np.array([v_measure(LABELS, found) for found in clusters])
    found = scores.homogeneity, scores.completeness, scores.v_measure
    np.testing.assert_allclose(found, wanted.mean(axis=0))
    np.testing.assert_allclose(scores.run_v_measures, [v_measure_score(LABELS, found) for found in clusters])
    assert (scores.num_texts, scores.num_labels) == (90, 3) and 0.1 < scores.v_measure < 0.95


def test_texts_and_an_embedder():
    texts = [f"text {number}" for number in range(90)]
    vectors = dict(zip(texts, VECTORS))
    embedded = score_clustering(texts, LABELS, lambda texts: [vectors[text] for text in texts], num_runs=1)
    assert embedded == score_clustering(VECTORS, LABELS, num_runs=1)


def test_bad_input():
    with pytest.raises(ValueError, match="texts=90, labels=89"):
        score_clustering(VECTORS, LABELS[1:])
    with pytest.raises(ValueError, match="at least 2 different labels. Received: 0 only"):
        score_clustering(VECTORS, LABELS * 0)
    with pytest.raises(ValueError, match="num_runs=0"):
        score_clustering(VECTORS, LABELS, num_runs=0)
