"""A picture of how a translation came about."""

import numpy as np

from keras_transformer.atomic import replacing
from keras_transformer.evaluation.fonts import installed_fonts


def plot_attention(path, source_pieces, target_pieces, weights, title=None):
    """Draws attention weights as a heat map: a row for each target token, a column for each source token.

    Args:
        path: PNG file to write; an older one is replaced.
        source_pieces: S tokens, as `str`.
        target_pieces: T tokens, as `str`.
        weights: (T, S), or (..., T, S), whose leading axes (layers, heads) are averaged.
        title: a line above the picture.

    Raises:
        ValueError: if the shape of `weights` does not fit the tokens.
        ImportError: without matplotlib (`pip install keras-transformer-layers[plot]`).
    """
    weights = np.asarray(weights, dtype="float32")
    expected = (len(target_pieces), len(source_pieces))
    if weights.shape[-2:] != expected:
        raise ValueError(f"Expected weights of shape (..., {expected}). Received: {weights.shape}")
    weights = weights.reshape((-1,) + expected).mean(axis=0)

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, columns = expected
    figure = Figure(figsize=(2.2 + 0.42 * columns, 1.6 + 0.36 * rows), dpi=150, layout="tight")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(weights, cmap="magma_r", vmin=0, vmax=max(1e-6, float(weights.max())))
    font = {"fontfamily": installed_fonts(), "fontsize": 10}
    axes.set_xticks(range(columns), [_label(p) for p in source_pieces], rotation=60, **font)
    axes.set_yticks(range(rows), [_label(p) for p in target_pieces], **font)
    axes.xaxis.tick_top()
    axes.set_xlabel("source", labelpad=8)
    axes.set_ylabel("translation, top to bottom")
    axes.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1)
    axes.tick_params(which="both", length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03, label="attention weight")
    if title:
        axes.set_title(title, fontsize=11, pad=12, fontfamily=installed_fonts())
    with replacing(path) as unfinished:
        figure.savefig(unfinished, format="png")


def _label(piece):
    """SentencePiece's mark of a blank as a middle dot, which every font has."""
    return piece.replace("\u2581", "\u00b7")
