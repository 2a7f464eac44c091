import sys

import matplotlib
import pytest

from keras_transformer.evaluation import pictures


@pytest.mark.parametrize("name, wanted", [("a.png", "png"), ("b/a.PDF", "pdf"), ("a.svg", "svg"), ("a", "png")])
def test_the_ending_tells_the_format(name, wanted):
    assert pictures.picture_format(name) == wanted


def test_other_endings():
    with pytest.raises(ValueError, match="ends in .png, .svg or .pdf. Received: a.b/c.gif"):
        pictures.picture_format("a.b/c.gif")


@pytest.mark.parametrize(
    "text, wanted", [("a dog", "a dog"), ("개" * 10, "개" * 8 + "…"), ("a\n\x07", r"a\n\x07"), ("", "")]
)
def test_labels(text, wanted):
    assert pictures.label(text, 9) == wanted


def test_cells_become_smaller_down_to_a_limit():
    assert [pictures.cell_size(count, 0.3) for count in (1, 100, 120, 300, 1000)] == [0.3, 0.3, 0.25, 0.1, 0.1]


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install keras-transformer-layers\[plot\]"):
        pictures.check_matplotlib()


def test_the_figure_is_as_large_as_what_is_in_it():
    figure = pictures.new_figure()
    figure.add_axes([7, -9, 2, 1])
    pictures.finish(figure, None, None)
    width, height = figure.get_size_inches()
    assert 2.2 < width < 2.8 and 1.2 < height < 1.8  # the axes, their ticks and a margin
    box = figure.get_tightbbox(figure.canvas.get_renderer())
    assert (box.x0, box.y0) == pytest.approx((0.1, 0.1), abs=0.02)
    assert (box.x1, box.y1) == pytest.approx((width - 0.1, height - 0.1), abs=0.02)
    inches = figure.axes[0].get_window_extent().size / figure.dpi
    assert tuple(inches) == pytest.approx((2, 1))


def test_a_title_is_wrapped_and_shown_as_it_is():
    figure = pictures.new_figure()
    figure.add_axes([0, 0, 2, 1])
    pictures.finish(figure, r"It costs $5 to $6, \frac{$ " + "or so " * 20, None)
    (title,) = figure.texts
    assert title.get_text().startswith(r"It costs $5 to $6, \frac{$ or so")
    assert max(map(len, title.get_text().splitlines())) <= 40 and not title.get_parse_math()


def test_settings_of_matplotlib_make_no_formulas():
    with matplotlib.rc_context({"text.usetex": True}):
        figure = pictures.new_figure()
        text = figure.text(0, 0, "$", **pictures.text_style(8))
    assert not text.get_usetex() and not text.get_parse_math()
