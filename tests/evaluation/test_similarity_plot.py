import matplotlib.image
import numpy as np
import pytest

from keras_transformer.evaluation import plot_similarity

TEXTS = ["개가 달린다", "a dog for $5 or $6", "x" * 200]
VECTORS = np.array([[1.0, 0.0], [3.0, 4.0], [-2.0, 0.0]])


def cells(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_shows_the_cosines_and_the_texts():
    figure = plot_similarity(TEXTS, VECTORS, title="Alike")
    axes, color_bar = figure.axes
    np.testing.assert_allclose(axes.images[0].get_array(), [[1, 0.6, -1], [0.6, 1, -0.6], [-1, -0.6, 1]], atol=1e-6)
    assert cells(figure) == ["1.00", "0.60", "-1.00", "0.60", "1.00", "-0.60", "-1.00", "-0.60", "1.00"]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == [*TEXTS[:2], "x" * 47 + "…"]
    assert axes.get_title() == "Alike" and color_bar.get_ylabel() == "cosine similarity"


def test_many_texts_have_no_numbers():
    vectors = np.random.default_rng(0).normal(size=(13, 4))
    assert len(cells(plot_similarity(["x"] * 12, vectors[:12]))) == 144
    assert cells(plot_similarity(["x"] * 13, vectors)) == []


def test_writes_a_picture_with_a_font_for_every_letter(tmp_path, recwarn):
    figure = plot_similarity(TEXTS, VECTORS, tmp_path / "a.png")
    picture = matplotlib.image.imread(tmp_path / "a.png")
    width, height = figure.get_size_inches() * figure.dpi
    assert picture.shape[:2] == (int(height), int(width)) and len(np.unique(picture)) > 20
    assert not [w for w in recwarn if "missing from font" in str(w.message)]


def test_bad_input_writes_nothing(tmp_path):
    with pytest.raises(ValueError, match="Received: texts=3, vectors=2"):
        plot_similarity(TEXTS, VECTORS[1:], tmp_path / "a.png")
    with pytest.raises(ValueError, match="finite"):
        plot_similarity(TEXTS, VECTORS * np.nan, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
