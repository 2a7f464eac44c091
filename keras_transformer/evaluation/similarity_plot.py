"""A picture of how alike texts are to an embedder."""

import numpy as np

from keras_transformer.atomic import replacing
from keras_transformer.evaluation.fonts import installed_fonts
from keras_transformer.evaluation.vectors import as_vectors, check_counts
from keras_transformer.pipelines.vector_similarity import similarity

# Up to so many texts, each cell shows its number.
_MOST_TEXTS_WITH_NUMBERS = 12
_LONGEST_LABEL = 48


def plot_similarity(texts, vectors, path=None, title="Semantic textual similarity"):
    """Draws the cosine similarity of each text with each other as a heat map, as the notebooks of TF-Hub do.

    Args:
        texts: N `str`; long ones are cut in the picture.
        vectors: (N, D), of any length.
        path: PNG file to write; an older one is replaced.
        title: a line above the picture.

    Returns:
        A `matplotlib.figure.Figure`. Up to 12 texts, its cells have numbers.

    Raises:
        ValueError: unless there is one finite vector for each text.
        ImportError: without matplotlib (`pip install keras-transformer-layers[plot]`).

    References:
        Cer et al., 2018, "Universal Sentence Encoder", figure 1.
    """
    check_counts(texts=texts, vectors=vectors)
    (vectors,) = as_vectors(None, vectors)
    similarities = similarity(vectors, vectors, "cosine")

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = len(texts)
    with_numbers = count <= _MOST_TEXTS_WITH_NUMBERS
    side = (0.5 if with_numbers else 0.22) * count
    figure = Figure(figsize=(5.2 + side, 4.4 + side), dpi=150, layout="tight")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(similarities, cmap="YlOrRd", vmin=min(0.0, similarities.min()), vmax=1)
    # Dollar signs are no formulas.
    font = {"fontfamily": installed_fonts(), "fontsize": 9, "parse_math": False}
    labels = [_label(text) for text in texts]
    axes.set_xticks(range(count), labels, rotation=90, **font)
    axes.set_yticks(range(count), labels, **font)
    axes.tick_params(length=0)
    for edge in axes.spines.values():
        edge.set_visible(False)
    if with_numbers:
        for (row, column), value in np.ndenumerate(similarities):
            color = "white" if image.norm(value) > 0.6 else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=color)
    figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03, label="cosine similarity")
    axes.set_title(title, fontsize=11, pad=10, fontfamily=installed_fonts(), parse_math=False)
    if path is not None:
        with replacing(path) as unfinished:
            figure.savefig(unfinished, format="png")
    return figure


def _label(text):
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"
