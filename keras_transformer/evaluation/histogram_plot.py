"""How similar pairs of texts are, by what people said of them."""

import itertools
from typing import TYPE_CHECKING

import numpy as np

from keras_transformer.evaluation import pictures
from keras_transformer.evaluation.inputs import check_counts
from keras_transformer.types import PathLike, Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 7.0, 3.5  # inches
_NUM_GROUPS, _NUM_BINS = 5, 40


def plot_similarity_histogram(
    similarities: Tensor,
    gold: Tensor,
    path: PathLike | None = None,
    title: str | None = "Similarity of pairs, by their gold scores",
) -> "Figure":
    """Draws a histogram of similarities, its bars divided by the gold scores: five ranges of equal width.

    Args:
        similarities: (N,), cosines of pairs.
        gold: (N,), their gold scores.
        path: the picture to write or replace: .png, .svg or .pdf. `None` to write none.
        title: a line above the picture.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: unless there is a finite similarity and a finite gold score for each pair; for another file format.
        ImportError: if matplotlib is not installed (`pip install keras-transformer-layers[plot]`).

    Example:
        >>> from keras_transformer.evaluation import plot_similarity_histogram
        >>> figure = plot_similarity_histogram([0.1, 0.5, 0.9], [0, 2.5, 5], tmp_path / "histogram.png")
        >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        ['4 to 5', '3 to 4', '2 to 3', '1 to 2', '0 to 1']
    """
    pictures.check_matplotlib()
    if path is not None:
        pictures.picture_format(path)
    check_counts(similarities=similarities, gold=gold)
    similarities, gold = np.asarray(similarities, "float64"), np.asarray(gold, "float64")
    if not (np.isfinite(similarities).all() and np.isfinite(gold).all()):
        raise ValueError("Expected finite similarities and gold scores. Received: NaN or infinity among them")
    import matplotlib

    edges = np.linspace(gold.min(), gold.max(), _NUM_GROUPS + 1)
    groups = np.digitize(gold, edges[1:-1])
    names = [f"{low:.3g} to {high:.3g}" for low, high in itertools.pairwise(edges)]
    figure = pictures.new_figure()
    axes = figure.add_axes([0, 0, _WIDTH, _HEIGHT])
    axes.hist(
        [similarities[groups == group] for group in range(_NUM_GROUPS)],
        bins=np.linspace(min(0, similarities.min()), 1, _NUM_BINS + 1),
        stacked=True,
        color=matplotlib.colormaps["viridis"](np.linspace(0, 0.95, _NUM_GROUPS)),
        label=names,
    )
    axes.set_xlabel("cosine similarity", **pictures.text_style(9))
    axes.set_ylabel("pairs", **pictures.text_style(9))
    legend = axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, reverse=True, title="gold score")
    for text in (*legend.get_texts(), legend.get_title()):
        text.set(**pictures.text_style(8))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    pictures.finish(figure, title, path)
    return figure
