"""Heat maps of the similarity of texts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_transformer.evaluation import pictures
from keras_transformer.evaluation.inputs import as_vectors, check_counts
from keras_transformer.evaluation.rounding import rounded
from keras_transformer.types import PathLike, Tensor
from keras_transformer.vector_similarity import similarity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_TEXTS_WITH_NUMBERS = 12  # in the cells
_LONGEST_LABEL = 48
_COLORS = "YlOrRd"
_DARK = 0.6  # above, white numbers are easier to read


def plot_similarity(
    texts: Sequence[str],
    vectors: Tensor,
    path: PathLike | None = None,
    title: str | None = "Semantic textual similarity",
) -> "Figure":
    """Draws the cosine similarity of each two texts as a heat map, as the notebooks of TF-Hub do.

    The colors cover 0 to 1 in every picture; values below 0 have the color of 0. Up to 12 texts, the cells show their
    values.

    Args:
        texts: N texts, at most 300. The picture shortens long ones.
        vectors: (N, D), of any length.
        path: the picture to write or replace: .png, .svg or .pdf. `None` to write none.
        title: a line above the picture.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: unless there is one finite vector for each text and at most 300 texts; for another file format.
        ImportError: if matplotlib is not installed (`pip install keras-transformer-layers[plot]`).

    Example:
        >>> from keras_transformer.evaluation import plot_similarity
        >>> figure = plot_similarity(["dog", "tree"], [[1, 0], [0.6, 0.8]], tmp_path / "similarity.png")
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['1.00', '0.60', '0.60', '1.00']

    References:
        Cer et al., 2018, "Universal Sentence Encoder", figure 1.
    """
    pictures.check_matplotlib()
    if path is not None:
        pictures.picture_format(path)
    check_counts(texts=texts, vectors=vectors)
    count = len(texts)
    if count > pictures.MOST_CELLS:
        raise ValueError(
            f"Expected at most {pictures.MOST_CELLS} texts in a picture, so that they can be read. Received: {count}"
        )
    (vectors,) = as_vectors(None, vectors)
    similarities = similarity(vectors, vectors, "cosine")

    with_numbers = count <= _MOST_TEXTS_WITH_NUMBERS
    cell = pictures.cell_size(count, 0.46 if with_numbers else 0.24)
    figure = pictures.new_figure()
    axes, image = pictures.draw_cells(figure, (0, 0), cell, similarities, _COLORS)
    style = pictures.text_style(pictures.label_font_size(cell, 9))
    labels = [pictures.label(" ".join(text.split()), _LONGEST_LABEL) for text in texts]
    axes.set_xticks(range(count), labels, rotation=90, **style)
    axes.set_yticks(range(count), labels, **style)
    axes.tick_params(length=0)
    if with_numbers:
        for (row, column), value in np.ndenumerate(similarities):
            number = f"{rounded(value, 2):.2f}"
            color = "white" if value > _DARK else "black"
            axes.text(column, row, number, ha="center", va="center", color=color, **pictures.text_style(8))
    extend = "min" if similarities.min() < 0 else "neither"
    pictures.draw_scale(figure, image, "cosine similarity", extend)
    pictures.finish(figure, title, path)
    return figure
