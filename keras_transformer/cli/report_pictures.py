"""The pictures in the report of `evaluate embedder`."""

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_transformer.evaluation.inputs import Embed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_ON_A_MAP = 2000
_MOST_IN_A_HEAT_MAP = 12
_SEED = 1


def report_pictures(
    texts: Sequence[str] | None, tasks: Sequence[tuple[str, list[str], Any]], embed: Embed
) -> list[tuple[str, "Figure"]]:
    """Draws how similar some texts are, and each file of scored pairs and of labelled texts, once.

    Args:
        texts: of the heat map; `None` for the first ones of the tasks.
        tasks: (name, paths, what was read) of each task, as `MEASURES` has it.
        embed: takes a list of `str`, returns vectors (N, D).

    Returns:
        A list of (what it shows, a figure).
    """
    from keras_transformer.evaluation import plot_similarity

    shown = texts or list(itertools.islice(dict.fromkeys(_first_texts(tasks)), _MOST_IN_A_HEAT_MAP))
    drawn, mapped = [], set()
    if shown:
        which = "the texts that were given" if texts else f"the first {len(shown)} texts"
        drawn.append((f"Cosine similarity of {which}", plot_similarity(shown, embed(shown), title=None)))
    for name, paths, data in tasks:
        if name == "similarity":
            drawn.append(_histogram(paths, data, embed))
        elif name in ("classification", "clustering") and paths[-1] not in mapped:
            mapped.add(paths[-1])
            drawn.append(_map(paths, data[-1], embed))
    return drawn


def _first_texts(tasks) -> Iterator[str]:
    for name, _, data in tasks:
        if name in ("similarity", "alignment"):
            yield from itertools.chain.from_iterable(zip(*data[1:]))
        elif name in ("classification", "clustering"):
            yield from data[-1][1]
        elif name in ("retrieval", "bitext"):
            yield from filter(None, itertools.chain.from_iterable(zip(*data)))
        elif name == "beir":
            yield from data[0].queries.values()


def _histogram(paths, columns, embed):
    from keras_transformer.evaluation import plot_similarity_histogram
    from keras_transformer.vector_similarity import similarity

    gold, first, second = columns
    vectors = embed([*first, *second])
    cosines = similarity(vectors[: len(first)], vectors[len(first) :], "cosine", paired=True)
    return f"Similarity, {' '.join(paths)}", plot_similarity_histogram(cosines, gold, title=None)


def _map(paths, columns, embed):
    from keras_transformer.evaluation import plot_embeddings

    labels, texts = (np.array(column, object) for column in columns)
    rows, which = np.arange(len(texts)), f"all {len(texts):,}"
    if len(texts) > _MOST_ON_A_MAP:
        rows = np.sort(np.random.default_rng(_SEED).choice(len(texts), _MOST_ON_A_MAP, replace=False))
        which = f"{_MOST_ON_A_MAP:,} of {len(texts):,}"
    figure = plot_embeddings(embed(list(texts[rows])), labels[rows], title=None)
    return f"Principal components of texts by label, {paths[-1]}, {which} texts", figure
