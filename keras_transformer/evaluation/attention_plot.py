"""Heat maps of attention weights."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_transformer import arguments
from keras_transformer.evaluation import pictures
from keras_transformer.types import PathLike, Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LARGEST_CELL = 0.34
_GAP = 0.45  # between panels: room for the name below each
_LONGEST_LABEL = 24
_COLORS = "magma_r"
_ROUNDING = 0.01  # of weights in bfloat16, which may slightly exceed 1


def plot_attention(
    source_pieces: Sequence[str],
    target_pieces: Sequence[str],
    weights: Tensor,
    path: PathLike | None = None,
    title: str | None = None,
    layer: int | str = "sharpest",
    head: int | str = "mean",
) -> "Figure":
    """Draws attention weights as a heat map: a row for each target token, a column for each source token.

    `Translator.attention` gives the tokens and the weights. The colors cover 0 to 1 in every picture. Cells shrink with
    their number, down to 15 pixels.

    Args:
        source_pieces: S tokens, as `str`. The picture shortens long ones, and shows "</s>" for an empty one, which some
            tokenizers have at the end.
        target_pieces: T tokens, as `str`.
        weights: from 0 to 1: (T, S), those of all heads (H, T, S), or those of all layers and heads (layers, H, T, S).
        path: the picture to write or replace: .png, .svg or .pdf. `None` to write none.
        title: a line above the picture.
        layer: the number of a layer, from 1; "all" for a row of panels for each; or "sharpest" for the one whose
            weights, of the head that is drawn or the mean of heads, have the lowest entropy, averaged over target
            tokens.
        head: the number of a head, from 1; "all" for a panel for each; or "mean".

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if the shape of `weights` does not fit the tokens, weights are outside [0, 1], a layer or head does
            not exist, more than 300 cells are side by side in all panels together, or the file format is another.
        ImportError: if matplotlib is not installed (`pip install keras-transformer-layers[plot]`).

    Example:
        >>> from keras_transformer.evaluation import plot_attention
        >>> weights = np.array([[0.9, 0.1], [0.2, 0.8]])
        >>> figure = plot_attention(["a", "dog"], ["ein", "Hund"], weights, tmp_path / "attention.png")
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['ein', 'Hund']
    """
    pictures.check_matplotlib()
    if path is not None:
        pictures.picture_format(path)
    weights = _checked(weights, len(target_pieces), len(source_pieces))
    panels = _panels(weights, layer, head)  # a row for each layer, a column for each head
    cell = _cell_size(panels, len(target_pieces), len(source_pieces))

    figure = pictures.new_figure()
    width, height = len(source_pieces) * cell, len(target_pieces) * cell
    style = pictures.text_style(pictures.label_font_size(cell, 10))
    for row, heads in enumerate(panels):
        for column, (name, values) in enumerate(heads):
            corner = column * (width + _GAP), -row * (height + _GAP)
            axes, image = pictures.draw_cells(figure, corner, cell, values, _COLORS)
            axes.set_xlabel(name, labelpad=4, **pictures.text_style(9))
            axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
            if row == 0:
                slanted = {"rotation": 60, "ha": "left", "rotation_mode": "anchor"}
                axes.set_xticks(range(len(source_pieces)), map(_label, source_pieces), **slanted, **style)
                axes.set_title("source", pad=6, **pictures.text_style(9))
            if column == 0:
                axes.set_yticks(range(len(target_pieces)), map(_label, target_pieces), **style)
                axes.set_ylabel("translation", **pictures.text_style(9))
    pictures.draw_scale(figure, image, "attention weight")
    pictures.finish(figure, title, path)
    return figure


def _checked(weights, num_targets, num_sources):
    weights = np.asarray(weights, dtype="float32")
    if weights.ndim not in (2, 3, 4) or weights.shape[-2:] != (num_targets, num_sources) or not weights.size:
        axes = f"{num_targets}, {num_sources}"
        raise ValueError(
            f"Expected weights of shape ({axes}), (heads, {axes}) or (layers, heads, {axes}), without zeros. "
            f"Received: {weights.shape}"
        )
    if not (weights.min() >= -_ROUNDING and weights.max() <= 1 + _ROUNDING):  # false for NaN
        raise ValueError(f"Expected weights from 0 to 1. Received: {weights.min():g} to {weights.max():g}")
    return weights


def _panels(weights, layer, head):
    """A list for each layer to draw, of (name, weights (T, S)) for each head to draw."""
    if weights.ndim < 4 and layer != "sharpest":
        raise ValueError(f"Expected weights (layers, heads, T, S) for layer={layer!r}. Received: {weights.shape}")
    if weights.ndim < 3 and head != "mean":
        raise ValueError(f"Expected weights (heads, T, S) for head={head!r}. Received: {weights.shape}")
    if weights.ndim == 2:
        return [[("", weights)]]
    num_heads = weights.shape[-3]
    if head == "mean":
        weights, heads = weights.mean(axis=-3, keepdims=True), [f"mean of {num_heads} heads"]
    else:
        numbers = _numbers("head", head, num_heads, "mean")
        weights = weights[..., [number - 1 for number in numbers], :, :]
        heads = [f"head {number} of {num_heads}" for number in numbers]
    if weights.ndim == 3:
        return [list(zip(heads, weights))]
    num_layers = len(weights)
    layers = [_sharpest(weights)] if layer == "sharpest" else _numbers("layer", layer, num_layers, "sharpest")
    return [
        [(f"layer {number} of {num_layers}, {name}", values) for name, values in zip(heads, weights[number - 1])]
        for number in layers
    ]


def _numbers(name, value, count, default):
    """The numbers, from 1, of the layers or heads that `value` names."""
    if value == "all":
        return list(range(1, count + 1))
    if isinstance(value, str):
        raise ValueError(f'Expected a number, "all" or "{default}". Received: {name}={value!r}')
    if arguments.positive_integer(name, value) > count:
        raise ValueError(f"Expected a {name} from 1 to {count}. Received: {name}={value}")
    return [value]


def _sharpest(weights):
    """The number, from 1, of the layer of (layers, heads, T, S) with the lowest mean entropy."""
    entropies = -np.sum(weights * np.log(np.maximum(weights, 1e-9)), axis=-1)
    return 1 + int(entropies.mean(axis=(1, 2)).argmin())


def _cell_size(panels, num_targets, num_sources):
    for name, count, tokens in (("source", len(panels[0]), num_sources), ("target", len(panels), num_targets)):
        if count * tokens > pictures.MOST_CELLS:
            times = f"{count} panels of {tokens}" if count > 1 else f"{tokens}"
            raise ValueError(
                f"Expected at most {pictures.MOST_CELLS} {name} tokens in a picture, so that they can be read. "
                f"Received: {times}"
            )
    most = max(len(panels[0]) * num_sources, len(panels) * num_targets)
    return pictures.cell_size(most, _LARGEST_CELL)


def _label(piece):
    """A token as a label, with a middle dot, which every font has, for SentencePiece's mark of a space."""
    return pictures.label(piece.replace("\u2581", "\u00b7"), _LONGEST_LABEL) or "</s>"
