"""A picture of how alike texts are to an embedder."""

import numpy as np

from keras_transformer.evaluation import pictures
from keras_transformer.evaluation.rounding import rounded
from keras_transformer.evaluation.vectors import as_vectors, check_counts
from keras_transformer.pipelines.vector_similarity import similarity

# Up to so many texts, each cell shows its number.
_MOST_TEXTS_WITH_NUMBERS = 12
_LONGEST_LABEL = 48
_COLORS = "YlOrRd"
_DARK = 0.6  # where white numbers are easier to read


def plot_similarity(texts, vectors, path=None, title="Semantic textual similarity"):
    """Draws the cosine similarity of each text with each other as a heat map, as the notebooks of TF-Hub do.

    The colors go from 0 to 1 in every picture; what is below 0 has the color of 0.

    Args:
        texts: N `str`, at most 300; long ones are cut in the picture.
        vectors: (N, D), of any length.
        path: picture to write, its format told by the ending, .png, .svg or .pdf; an older one is replaced.
        title: a line above the picture.

    Returns:
        A `matplotlib.figure.Figure`. Up to 12 texts, its cells have numbers.

    Raises:
        ValueError: unless there is one finite vector for each text, for more than 300 texts, and for another format.
        ImportError: without matplotlib (`pip install keras-transformer-layers[plot]`).

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
