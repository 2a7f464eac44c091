import numpy as np
import pytest

from keras_transformer.evaluation import plot_similarity_histogram

RANDOM = np.random.default_rng(3)
COSINES, GOLD = RANDOM.uniform(-0.3, 1, size=200), np.round(RANDOM.uniform(0, 5, size=200), 1)


def test_bars_count_pairs(tmp_path):
    axes = plot_similarity_histogram(COSINES, GOLD, tmp_path / "a.svg").axes[0]
    edges = np.linspace(COSINES.min(), 1, 41)
    for group, bars in enumerate(axes.containers):
        low, high = np.linspace(GOLD.min(), GOLD.max(), 6)[group : group + 2]
        chosen = (low <= GOLD) & ((high > GOLD) | (group == 4))
        heights = [bar.get_height() for bar in bars]
        np.testing.assert_array_equal(heights, np.histogram(COSINES[chosen], edges)[0])
    assert "</svg>" in (tmp_path / "a.svg").read_text()


def test_gold_scores_that_are_all_equal():
    axes = plot_similarity_histogram([0.5, 0.7], [3, 3]).axes[0]
    assert sum(bar.get_height() for bars in axes.containers for bar in bars) == 2


def test_bad_input(tmp_path):
    with pytest.raises(ValueError, match="similarities=200, gold=199"):
        plot_similarity_histogram(COSINES, GOLD[1:])
    with pytest.raises(ValueError, match="NaN or infinity among them"):
        plot_similarity_histogram([np.nan], [1])
    with pytest.raises(ValueError, match="ends in .png, .svg or .pdf"):
        plot_similarity_histogram(COSINES, GOLD, tmp_path / "a.gif")
