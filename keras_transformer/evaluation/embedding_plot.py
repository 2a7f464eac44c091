"""A map of texts in two dimensions."""

import collections
from typing import TYPE_CHECKING

import numpy as np

from keras_transformer.evaluation import pictures
from keras_transformer.evaluation.inputs import Labels, as_vectors, check_counts
from keras_transformer.evaluation.text_classification import check_scikit_learn
from keras_transformer.types import PathLike, Tensor
from keras_transformer.vector_similarity import directions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIDE = 6.0  # inches
_MOST_COLORS = 20  # rarer labels are grey
_LONGEST_LABEL = 40


def plot_embeddings(
    vectors: Tensor,
    labels: Labels | None = None,
    path: PathLike | None = None,
    title: str | None = "Principal components",
) -> "Figure":
    """Draws vectors, made to have length 1, by their first two principal components, a color for each label.

    The axes tell which part of the variance they show: often a small one, so that what lies together here may still be
    far apart.

    Args:
        vectors: (N, D), N and D at least 2.
        labels: N labels, `str` or numbers. The 20 most frequent ones have a color and stand in the legend.
        path: the picture to write or replace: .png, .svg or .pdf. `None` to write none.
        title: a line above the picture.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: unless there are two finite vectors or more of two numbers or more, and one label for each; for
            another file format.
        ImportError: if matplotlib or scikit-learn is not installed.

    Example:
        >>> from keras_transformer.evaluation import plot_embeddings
        >>> figure = plot_embeddings([[1, 0, 0], [0, 1, 0], [-1, 0, 0]], ["a", "b", "a"], tmp_path / "map.png")
        >>> figure.axes[0].get_xlabel()
        '75% of the variance'
    """
    pictures.check_matplotlib()
    check_scikit_learn()
    if path is not None:
        pictures.picture_format(path)
    (vectors,) = as_vectors(None, vectors)
    if min(vectors.shape) < 2:
        raise ValueError(f"Expected at least 2 vectors of 2 numbers. Received: shape {vectors.shape}")
    if labels is not None:
        check_counts(vectors=vectors, labels=labels)
    places, shares = _principal_components(directions(vectors))
    figure = pictures.new_figure()
    axes = figure.add_axes([0, 0, _SIDE, _SIDE])
    for name, color, rows in _groups(labels, len(vectors)):
        axes.scatter(*places[rows].T, s=9, color=color, linewidths=0, label=name)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(f"{shares[0]:.0%} of the variance", **pictures.text_style(9))
    axes.set_ylabel(f"{shares[1]:.0%} of the variance", **pictures.text_style(9))
    if labels is not None:
        legend = axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, markerscale=2)
        for text in legend.get_texts():
            text.set(**pictures.text_style(8))
    pictures.finish(figure, title, path)
    return figure


def _principal_components(vectors):
    from sklearn.decomposition import PCA

    # The solver that is exact and has no random numbers.
    components = PCA(2, svd_solver="full")
    with np.errstate(invalid="ignore"):  # without any variance
        places = components.fit_transform(vectors.astype("float64"))
    return places, np.nan_to_num(components.explained_variance_ratio_)


def _groups(labels, count):
    """Yields (label, color, rows), rare ones first, so that they do not hide others."""
    import matplotlib

    maps = matplotlib.colormaps
    if labels is None:
        yield None, maps["tab10"].colors[0], np.arange(count)
        return
    names = [str(label) for label in labels]
    frequent = [name for name, _ in collections.Counter(names).most_common(_MOST_COLORS)]
    # The colors of the shorter map are easier to tell apart.
    colors = maps["tab10" if len(frequent) <= 10 else "tab20"].colors
    numbers = {name: number for number, name in enumerate(frequent)}
    of_row = np.array([numbers.get(name, -1) for name in names])
    if (of_row < 0).any():
        yield "others", "lightgrey", np.flatnonzero(of_row < 0)
    for number, name in enumerate(frequent):
        # Matplotlib leaves out of a legend what begins with an underscore.
        shown = pictures.label(name, _LONGEST_LABEL)
        yield f"\u200b{shown}" if shown.startswith("_") else shown, colors[number], np.flatnonzero(of_row == number)
