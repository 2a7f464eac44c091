import matplotlib.image
import numpy as np
import pytest
from matplotlib.text import Text

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
    assert figure.texts[0].get_text() == "Alike" and color_bar.get_ylabel() == "cosine similarity"


def test_the_same_cosine_has_the_same_color_in_every_picture():
    colors = []
    for vectors in (VECTORS, np.abs(VECTORS)):
        image = plot_similarity(TEXTS, vectors).axes[0].images[0]
        assert image.get_clim() == (0, 1)
        colors.append(image.to_rgba(0.6))
    assert colors[0] == colors[1]


def test_zero_has_no_sign():
    assert cells(plot_similarity(["a", "b"], [[1.0, 0.0], [-0.001, 1.0]])) == ["1.00", "0.00", "0.00", "1.00"]


def test_texts_are_no_formulas(tmp_path):
    texts = ["$5 or $6", "\\frac{$", "two\nlines\x07"]
    figure = plot_similarity(texts, VECTORS, tmp_path / "a.png", title="\\frac{$")
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == [*texts[:2], "two lines\\x07"]
    assert not [text for text in figure.findobj(Text) if text.get_text() and text.get_parse_math()]


def test_how_many_texts_can_be_read():
    figure = plot_similarity(["x"] * 300, np.ones((300, 2)))
    assert 30 < figure.get_size_inches().max() < 33
    with pytest.raises(ValueError, match="at most 300 texts in a picture.* Received: 301"):
        plot_similarity(["x"] * 301, np.ones((301, 2)))


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
    with pytest.raises(ValueError, match="Expected finite vectors. Received: NaN or infinity"):
        plot_similarity(TEXTS, VECTORS * np.nan, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
