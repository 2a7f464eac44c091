"""Parts of heat maps: square cells of a readable size, and texts in any language that are never taken for formulas."""

import os
import textwrap
from typing import TYPE_CHECKING, Any

from keras_transformer.atomic import replacing
from keras_transformer.evaluation.fonts import installed_fonts
from keras_transformer.types import PathLike

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

# Sizes are in inches, of 150 pixels.
_LARGEST_PICTURE = 30.0
_SMALLEST_CELL = 0.1
MOST_CELLS = 300  # side by side: the smallest ones fill the largest picture
_MARGIN = 0.1
_POINTS = 72  # per inch
_FORMATS = {".png": "png", ".svg": "svg", ".pdf": "pdf", "": "png"}


def check_matplotlib() -> None:
    """Raises `ImportError`, with the command that installs it, if matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Expected matplotlib, which draws pictures. Install it with: pip install keras-transformer-layers[plot]"
        ) from error


def picture_format(path: PathLike) -> str:
    """The format of a picture by the ending of its name: "png" (also for no ending), "svg" or "pdf".

    Raises:
        ValueError: for another ending.
    """
    ending = os.path.splitext(os.fspath(path))[1]
    if ending.lower() not in _FORMATS:
        raise ValueError(f"Expected a picture that ends in .png, .svg or .pdf. Received: {os.fspath(path)}")
    return _FORMATS[ending.lower()]


def cell_size(count: int, largest: float) -> float:
    """The side of a cell if `count` cells are side by side."""
    return max(_SMALLEST_CELL, min(largest, _LARGEST_PICTURE / count))


def text_style(size: float) -> dict[str, Any]:
    """Matplotlib's options of a text: a font for each letter; dollar signs do not start formulas."""
    return {"fontfamily": installed_fonts(), "fontsize": size, "parse_math": False, "usetex": False}


def label(text: str, longest: int) -> str:
    """A text as one line of at most `longest` characters, with escapes for unprintable ones."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def new_figure() -> "Figure":
    """A figure of one inch, so that positions in it are in inches, until `finish` sets its size."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1), dpi=150)
    FigureCanvasAgg(figure)
    return figure


def draw_cells(
    figure: "Figure", corner: tuple[float, float], cell: float, values: "np.ndarray", colors: str
) -> tuple["Axes", "AxesImage"]:
    """Draws a heat map of values from 0 to 1.

    Args:
        figure: from `new_figure`.
        corner: (x, y) of the upper left corner.
        cell: the side of a cell.
        values: (rows, columns).
        colors: the name of a color map of Matplotlib.

    Returns:
        (the axes, the image).
    """
    rows, columns = values.shape
    axes = figure.add_axes([corner[0], corner[1] - rows * cell, columns * cell, rows * cell])
    image = axes.imshow(values, cmap=colors, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for edge in axes.spines.values():
        edge.set_visible(False)
    # Lines between the cells, which would hide small ones.
    if cell > 2 * _SMALLEST_CELL:
        axes.hlines([row - 0.5 for row in range(1, rows)], -0.5, columns - 0.5, color="white", linewidth=1)
        axes.vlines([column - 0.5 for column in range(1, columns)], -0.5, rows - 0.5, color="white", linewidth=1)
    return axes, image


def label_font_size(cell: float, largest: float) -> float:
    """The font size, in points, at which a line is not higher than a cell."""
    return min(largest, 0.8 * cell * _POINTS)


def draw_scale(figure: "Figure", image: "AxesImage", name: str, extend: str = "neither") -> None:
    """Draws the color bar to the right of the contents, from height 0 down."""
    height = 1.8
    bar_axes = figure.add_axes([_contents(figure).x1 + 2 * _MARGIN, -height, 0.14, height])
    bar = figure.colorbar(image, cax=bar_axes, extend=extend)
    ticks = [0, 0.25, 0.5, 0.75, 1]
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks], **text_style(8))
    bar.set_label(name, **text_style(9))
    bar.outline.set_visible(False)


def finish(figure: "Figure", title: str | None, path: PathLike | None) -> None:
    """Adds the title, fits the size of the figure to its contents, and writes it unless `path` is `None`."""
    box = _contents(figure)
    if title:
        middle = (box.x0 + box.x1) / 2
        lines = textwrap.fill(title, max(40, int(11 * box.width)))
        figure.text(middle, box.y1 + _MARGIN, lines, ha="center", va="bottom", **text_style(11))
        box = _contents(figure)
    width, height = box.width + 2 * _MARGIN, box.height + 2 * _MARGIN
    left, bottom = box.x0 - _MARGIN, box.y0 - _MARGIN
    for axes in figure.axes:
        at = axes.get_position()
        axes.set_position([(at.x0 - left) / width, (at.y0 - bottom) / height, at.width / width, at.height / height])
    for text in figure.texts:
        x, y = text.get_position()
        text.set_position(((x - left) / width, (y - bottom) / height))
    figure.set_size_inches(width, height)
    if path is not None:
        picture = picture_format(path)
        with replacing(path) as unfinished:
            figure.savefig(unfinished, format=picture, dpi=figure.dpi)


def _contents(figure):
    """The bounding box of the contents."""
    return figure.get_tightbbox(figure.canvas.get_renderer())
