import math

import numpy as np
import pytest
import scipy.stats

from keras_transformer.evaluation import score_similarity
from keras_transformer.evaluation.textual_similarity import pearson, spearman

RANDOM = np.random.default_rng(5)
FIRST = RANDOM.normal(size=(80, 6)).astype("float32")
SECOND = (FIRST + RANDOM.normal(size=(80, 6)) * RANDOM.uniform(0.1, 3, size=(80, 1))).astype("float32")
GOLD = np.round(RANDOM.uniform(0, 5, size=80))  # with many ties


def cosines():
    return np.array([a @ b / math.sqrt((a @ a) * (b @ b)) for a, b in zip(FIRST.astype(float), SECOND.astype(float))])


def test_correlations_by_hand():
    assert pearson([1, 2, 3], [1, 2, 4]) == pytest.approx(3 / math.sqrt(2 * 14 / 3))
    # The ranks are 1, 2.5, 2.5, 4 and 1, 2, 3, 4.
    assert spearman([0, 7, 7, 8], [-5, 1, 2, 900]) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert spearman([1, 2, 3], [1, 10, 100]) == pytest.approx(1)
    assert pearson([1, 2], [3, -4]) == pytest.approx(-1)


@pytest.mark.parametrize("values", [RANDOM.normal(size=60), RANDOM.integers(4, size=60), np.arange(60) // 20])
def test_correlations_are_those_of_scipy(values):
    others = np.random.default_rng(7).integers(6, size=60)
    assert pearson(values, others) == pytest.approx(scipy.stats.pearsonr(values, others)[0], abs=1e-12)
    assert spearman(values, others) == pytest.approx(scipy.stats.spearmanr(values, others)[0], abs=1e-12)


def test_scores_are_those_of_scipy():
    scores = score_similarity(FIRST, SECOND, GOLD)
    angles = [1 - math.acos(cosine) / math.pi for cosine in cosines()]
    assert scores.num_pairs == 80
    for estimate, name, correlation in (
        (scores.cosine_pearson, "Pearson, cosine", scipy.stats.pearsonr(cosines(), GOLD)),
        (scores.angular_pearson, "Pearson, angular", scipy.stats.pearsonr(angles, GOLD)),
        (scores.spearman, "Spearman", scipy.stats.spearmanr(cosines(), GOLD)),
        (scores.spearman, "Spearman", scipy.stats.spearmanr(angles, GOLD)),
    ):
        assert estimate.name == name and estimate.value == pytest.approx(correlation[0], abs=1e-6)
    assert abs(scores.cosine_pearson.value - scores.angular_pearson.value) > 1e-3


def test_lengths_do_not_matter():
    lengths = np.random.default_rng(6).uniform(0.1, 10, size=(2, 80, 1))
    scaled = score_similarity(FIRST * lengths[0], SECOND * lengths[1], GOLD)
    plain = score_similarity(FIRST, SECOND, GOLD)
    assert scaled.cosine_pearson.value == pytest.approx(plain.cosine_pearson.value, abs=1e-6)


def test_the_interval_is_that_of_scipy():
    scores = score_similarity(FIRST, SECOND, GOLD, num_resamples=2000)
    for estimate, statistic in (
        (scores.cosine_pearson, lambda x, y: scipy.stats.pearsonr(x, y)[0]),
        (scores.spearman, lambda x, y: scipy.stats.spearmanr(x, y)[0]),
    ):
        drawn = {"paired": True, "vectorized": False, "n_resamples": 500, "method": "percentile", "rng": 3}
        theirs = scipy.stats.bootstrap((cosines(), GOLD), statistic, **drawn)
        np.testing.assert_allclose(estimate.interval, theirs.confidence_interval, atol=0.05)
        assert estimate.interval[0] < estimate.value < estimate.interval[1]


def test_texts_and_an_embedder():
    texts = [f"text {i}" for i in range(160)]
    vectors = dict(zip(texts, np.concatenate([FIRST, SECOND])))
    scores = score_similarity(texts[:80], texts[80:], GOLD, embed=lambda texts: [vectors[text] for text in texts])
    assert scores == score_similarity(FIRST, SECOND, GOLD)


def test_one_vector_for_everything_is_not_defined():
    scores = score_similarity(np.ones((5, 3)), np.ones((5, 3)), range(5))
    for estimate in (scores.cosine_pearson, scores.angular_pearson, scores.spearman):
        assert np.isnan([estimate.value, *estimate.interval]).all()


@pytest.mark.parametrize(
    "first, second, gold, message",
    [
        (FIRST, SECOND[1:], GOLD, "Received: first=80, second=79, gold=80"),
        (FIRST, SECOND, GOLD[1:], "Received: first=80, second=80, gold=79"),
        (FIRST[:0], SECOND[:0], [], "Expected equally many of each, at least one. Received: first=0, second=0, gold=0"),
        (FIRST, SECOND, GOLD * 0 + 2, "gold scores that differ. Received: 2 to 2"),
        (FIRST, SECOND, GOLD * np.nan, "Expected finite gold scores that differ. Received: nan to nan"),
    ],
)
def test_bad_input(first, second, gold, message):
    with pytest.raises(ValueError, match=message):
        score_similarity(first, second, gold)
    with pytest.raises(ValueError, match="Expected a positive integer. Received: num_resamples=0"):
        score_similarity(FIRST, SECOND, GOLD, num_resamples=0)
