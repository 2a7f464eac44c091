"""Clustering: how well k-means finds the groups that people put texts in."""

import dataclasses

import numpy as np

from keras_transformer import arguments
from keras_transformer.evaluation.inputs import Embed, Labels, as_vectors, check_counts
from keras_transformer.evaluation.text_classification import check_scikit_learn
from keras_transformer.types import Texts

_BATCH_SIZE = 500  # MTEB's


@dataclasses.dataclass(frozen=True)
class ClusteringScores:
    """How well clusters are those of the labels.

    Attributes:
        num_texts: number of texts.
        num_labels: number of distinct labels, and of clusters.
        v_measure: the harmonic mean of homogeneity and completeness, the mean over the runs.
        homogeneity: 1 if each cluster has texts of one label only, the mean over the runs.
        completeness: 1 if the texts of each label are in one cluster, the mean over the runs.
        run_v_measures: the V-measure of each run.

    Example:
        >>> from keras_transformer.evaluation import score_clustering
        >>> scores = score_clustering(np.repeat(np.eye(2), 20, axis=0), ["dog"] * 20 + ["cat"] * 20, num_runs=2)
        >>> scores.v_measure, scores.num_labels
        (1.0, 2)
    """

    num_texts: int
    num_labels: int
    v_measure: float
    homogeneity: float
    completeness: float
    run_v_measures: tuple[float, ...]


def score_clustering(texts: Texts, labels: Labels, embed: Embed | None = None, num_runs: int = 10) -> ClusteringScores:
    """V-measure of k-means with as many clusters as there are labels, as MTEB has it (mini-batches of 500).

    Args:
        texts: N texts, or their vectors (N, D).
        labels: N labels, `str` or numbers.
        embed: takes a list of `str`, returns vectors (N, D); required for texts.
        num_runs: how often, each time from another start, of seeds 0, 1 and so on.

    Returns:
        A `ClusteringScores`.

    Raises:
        ValueError: if there are no texts, another number of labels, or a single distinct label; if `num_runs` is not
            positive, or vectors are not finite.
        ImportError: if scikit-learn is not installed (`pip install keras-transformer-layers[evaluation]`).

    References:
        Rosenberg and Hirschberg, 2007, "V-Measure"; Muennighoff et al., 2023, "MTEB".
    """
    check_scikit_learn()
    arguments.positive_integer("num_runs", num_runs)
    check_counts(texts=texts, labels=labels)
    names, numbers = np.unique(np.asarray(labels), return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"Expected at least 2 different labels. Received: {names[0]!s} only")
    (vectors,) = as_vectors(embed, texts)
    found = np.array([_one_run(vectors, numbers, len(names), seed) for seed in range(num_runs)])
    homogeneity, completeness, v_measure = (float(mean) for mean in found.mean(axis=0))
    runs = tuple(float(value) for value in found[:, 2])
    return ClusteringScores(len(vectors), len(names), v_measure, homogeneity, completeness, runs)


def _one_run(vectors, numbers, num_clusters, seed):
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.metrics import homogeneity_completeness_v_measure

    clusters = MiniBatchKMeans(num_clusters, batch_size=_BATCH_SIZE, n_init="auto", random_state=seed)
    return homogeneity_completeness_v_measure(numbers, clusters.fit_predict(vectors))
