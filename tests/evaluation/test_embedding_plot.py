import matplotlib.image
import numpy as np
import pytest

from keras_transformer.evaluation import plot_embeddings

VECTORS = np.random.default_rng(2).normal(size=(90, 7)) * [[5, 3, 1, 1, 1, 1, 1]]


def test_places_are_the_principal_components():
    figure = plot_embeddings(VECTORS, title=None)
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    centred = unit - unit.mean(axis=0)
    _, scales, directions = np.linalg.svd(centred, full_matrices=False)
    (points,) = figure.axes[0].collections
    wanted = centred @ directions[:2].T
    np.testing.assert_allclose(np.abs(points.get_offsets()), np.abs(wanted), atol=1e-6)
    share = scales[:2] ** 2 / np.sum(scales**2)
    shown = figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
    assert shown == tuple(f"{of:.0%} of the variance" for of in share)


def test_a_color_for_each_label(tmp_path):
    labels = [f"${number % 23}" for number in range(88)] + ["_개", "_개"]
    figure = plot_embeddings(VECTORS, labels, tmp_path / "map.png")
    groups = figure.axes[0].collections
    assert len(groups) == 21 and sum(len(group.get_offsets()) for group in groups) == 90
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names[0] == "others" and len(names) == 21 and "$3" in names
    assert len(np.unique(matplotlib.image.imread(tmp_path / "map.png").reshape(-1, 4), axis=0)) > 20


def test_one_vector_for_everything():
    figure = plot_embeddings(np.ones((4, 3)), ["a", "b", "a", "_"])
    assert figure.axes[0].get_xlabel() == "0% of the variance"
    assert len(figure.axes[0].get_legend().get_texts()) == 3


def test_bad_input(tmp_path):
    with pytest.raises(ValueError, match=r"at least 2 vectors of 2 numbers. Received: shape \(1, 7\)"):
        plot_embeddings(VECTORS[:1])
    with pytest.raises(ValueError, match="vectors=90, labels=1"):
        plot_embeddings(VECTORS, ["a"])
    with pytest.raises(ValueError, match="ends in .png, .svg or .pdf"):
        plot_embeddings(VECTORS, path=tmp_path / "map.gif")
