import matplotlib.image
import numpy as np
import pytest
from matplotlib.text import Text

from keras_transformer.evaluation import plot_attention

SOURCE, TARGET = ["\u2581a", "년", ""], ["x", "y"]
WEIGHTS = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], "float32")
# 3 layers of 2 heads. Each head of layer 3 is sharp, but their mean is not; layer 2 is the sharpest in the mean, and
# in head 1 layer 3 is.
FLAT = np.full((2, 3), 1 / 3, "float32")
BLUNT = 0.8 * WEIGHTS + 0.2 * FLAT
LAYERS = np.array([[FLAT, FLAT], [BLUNT, BLUNT], [WEIGHTS, WEIGHTS[::-1]]])


def panels(figure):
    """The caption and the weights of each panel; the last axes are of the scale."""
    assert all(image.get_clim() == (0, 1) for axes in figure.axes[:-1] for image in axes.images)
    return [(axes.get_xlabel(), np.asarray(axes.images[0].get_array())) for axes in figure.axes[:-1]]


def check_panels(figure, wanted):
    found = panels(figure)
    assert [caption for caption, _ in found] == list(wanted)
    np.testing.assert_allclose([weights for _, weights in found], list(wanted.values()), atol=1e-6)


def labels(axes):
    return [[label.get_text() for label in ticks] for ticks in (axes.get_xticklabels(), axes.get_yticklabels())]


def test_shows_the_weights_and_the_tokens(tmp_path):
    figure = plot_attention(SOURCE, TARGET, WEIGHTS, tmp_path / "a.png", title="Cross-attention")
    check_panels(figure, {"": WEIGHTS})
    assert labels(figure.axes[0]) == [["·a", "년", "</s>"], TARGET]
    assert figure.texts[0].get_text() == "Cross-attention"
    picture = matplotlib.image.imread(tmp_path / "a.png")
    width, height = figure.get_size_inches() * figure.dpi
    assert picture.shape[:2] == (int(height), int(width))
    plot_attention(SOURCE, TARGET, WEIGHTS[:, ::-1], tmp_path / "b.png", title="Cross-attention")
    other = matplotlib.image.imread(tmp_path / "b.png")
    assert picture.shape == other.shape and np.abs(picture - other).max() > 0.5


def test_the_same_weight_has_the_same_color_in_every_picture():
    """A layer that looks everywhere alike is pale, not black."""
    colors = [plot_attention(SOURCE, TARGET, w).axes[0].images[0].to_rgba(1 / 3) for w in (FLAT, WEIGHTS)]
    assert colors[0] == colors[1] and sum(colors[0][:3]) > 1.5


def test_the_sharpest_layer_by_default():
    check_panels(plot_attention(SOURCE, TARGET, LAYERS), {"layer 2 of 3, mean of 2 heads": BLUNT})
    check_panels(plot_attention(SOURCE, TARGET, LAYERS, head=1), {"layer 3 of 3, head 1 of 2": WEIGHTS})
    both = {"layer 3 of 3, head 1 of 2": WEIGHTS, "layer 3 of 3, head 2 of 2": WEIGHTS[::-1]}
    check_panels(plot_attention(SOURCE, TARGET, LAYERS, head="all"), both)


def test_a_panel_for_each_layer_and_head():
    assert [caption for caption, _ in panels(plot_attention(SOURCE, TARGET, LAYERS, layer="all"))] == [
        f"layer {number} of 3, mean of 2 heads" for number in (1, 2, 3)
    ]
    figure = plot_attention(SOURCE, TARGET, LAYERS, layer="all", head="all")
    check_panels(figure, {f"layer {i + 1} of 3, head {j + 1} of 2": LAYERS[i, j] for i in range(3) for j in range(2)})
    # Layers from top to bottom, heads from left to right, tokens at the edges alone.
    places = [axes.get_position() for axes in figure.axes[:-1]]
    assert places[0].y0 == places[1].y0 > places[2].y1 and places[0].x1 < places[1].x0 == pytest.approx(places[3].x0)
    shown = [[len(texts) for texts in labels(axes)] for axes in figure.axes[:-1]]
    assert shown == [[3, 2], [3, 0], [0, 2], [0, 0], [0, 2], [0, 0]]
    one = plot_attention(SOURCE, TARGET, LAYERS, layer=3, head=2)
    check_panels(one, {"layer 3 of 3, head 2 of 2": WEIGHTS[::-1]})


def test_heads_of_one_layer():
    check_panels(plot_attention(SOURCE, TARGET, LAYERS[2]), {"mean of 2 heads": LAYERS[2].mean(axis=0)})
    check_panels(
        plot_attention(SOURCE, TARGET, LAYERS[2], head="all"),
        {"head 1 of 2": WEIGHTS, "head 2 of 2": WEIGHTS[::-1]},
    )


def test_texts_are_no_formulas(tmp_path):
    source = ["$", "5", r"\frac{$"]
    figure = plot_attention(source, ["$x$", "_"], WEIGHTS, tmp_path / "a.png", title=r"$5 or $6, \frac{$")
    assert labels(figure.axes[0]) == [source, ["$x$", "_"]]
    assert (tmp_path / "a.png").exists()
    assert not [text for text in figure.findobj(Text) if text.get_text() and text.get_parse_math()]


def test_korean_letters_have_a_font(tmp_path, recwarn):
    plot_attention(["한국어", "日", "a"], TARGET, WEIGHTS, tmp_path / "a.png", title="제목")
    assert not [w for w in recwarn if "missing from font" in str(w.message)]


def test_long_texts():
    """Up to 300 tokens can be read, in a picture of bounded size; long tokens are shortened."""
    figure = plot_attention(["x" * 60] * 300, TARGET, np.full((2, 300), 1 / 300))
    assert 30 < figure.get_size_inches()[0] < 33 and labels(figure.axes[0])[0][0] == "x" * 23 + "…"
    with pytest.raises(ValueError, match="at most 300 source tokens in a picture.* Received: 301"):
        plot_attention(["x"] * 301, TARGET, np.full((2, 301), 1 / 301))
    with pytest.raises(ValueError, match="at most 300 target tokens.* Received: 3 panels of 101"):
        plot_attention(SOURCE, ["y"] * 101, np.full((3, 1, 101, 3), 1 / 3), layer="all")


@pytest.mark.parametrize("ending, start", [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_formats(ending, start, tmp_path):
    plot_attention(SOURCE, TARGET, WEIGHTS, tmp_path / f"a.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes().startswith(start)


@pytest.mark.parametrize(
    "weights, options, message",
    [
        (WEIGHTS.T, {}, r"weights of shape \(2, 3\), .*layers, heads, 2, 3.*Received: \(3, 2\)"),
        (WEIGHTS[None, None, None], {}, r"Received: \(1, 1, 1, 2, 3\)"),
        (WEIGHTS - 2, {}, "weights from 0 to 1. Received: -2 to -1"),
        (WEIGHTS * np.nan, {}, "weights from 0 to 1. Received: nan to nan"),
        (LAYERS, {"layer": 4}, "a layer from 1 to 3. Received: layer=4"),
        (LAYERS, {"layer": 0}, "Expected a positive integer. Received: layer=0"),
        (LAYERS, {"head": 3}, "a head from 1 to 2. Received: head=3"),
        (LAYERS, {"layer": "last"}, 'a number, "all" or "sharpest". Received: layer=\'last\''),
        (LAYERS, {"head": "first"}, 'a number, "all" or "mean". Received: head=\'first\''),
        (LAYERS[0], {"layer": 1}, r"weights \(layers, heads, T, S\) for layer=1. Received: \(2, 2, 3\)"),
        (WEIGHTS, {"head": "all"}, r"weights \(heads, T, S\) for head='all'. Received: \(2, 3\)"),
    ],
)
def test_bad_input_writes_nothing(weights, options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        plot_attention(SOURCE, TARGET, weights, tmp_path / "a.png", **options)
    with pytest.raises(ValueError, match="ends in .png, .svg or .pdf. Received: .*a.gif"):
        plot_attention(SOURCE, TARGET, WEIGHTS, tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []
