"""The inputs of scores: lists of equal length, and vectors, given or made from texts."""

from collections.abc import Callable, Hashable, Sequence, Sized

import numpy as np

from keras_transformer.types import Tensor, Texts

# Takes a list of `str`, returns vectors (N, D).
Embed = Callable[[list[str]], Tensor]
# The classes of texts, or the ids of queries and answers: `str` or numbers.
Labels = Sequence[Hashable] | np.ndarray


def check_counts(**lists: Sized) -> None:
    """Raises `ValueError` unless the lists, given by their names, are equally long and not empty."""
    counts = {name: len(values) for name, values in lists.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        counts = ", ".join(f"{name}={count}" for name, count in counts.items())
        raise ValueError(f"Expected equally many of each, at least one. Received: {counts}")


def of_two_sides(
    embed: Embed, embed_others: Embed | None, texts: Sequence[str], others: Sequence[str]
) -> list[np.ndarray]:
    """As `as_vectors` of two lists, of which the second may have an `embed_others` of its own."""
    if embed_others is None:
        return as_vectors(embed, texts, others)
    # Together, so that their widths are compared.
    sides = as_vectors(embed, texts), as_vectors(embed_others, others)
    return as_vectors(None, *(side for (side,) in sides))


def as_vectors(embed: Embed | None, *lists: Texts) -> list[np.ndarray]:
    """Each list of texts, or array of vectors, as a float32 array (N, D). All texts are embedded in one call.

    Args:
        embed: takes a list of `str`, returns vectors (N, D); `None` if vectors are given.
        *lists: lists of `str`, or arrays (N, D).

    Raises:
        ValueError: unless there is a finite vector for each text, all of the same width.
    """
    if embed is not None:
        texts = [text for texts in lists for text in texts]
        vectors = np.asarray(embed(texts))
        if len(vectors) != len(texts):
            raise ValueError(f"Expected a vector for each of {len(texts)} texts. Received: {len(vectors)}")
        lists = np.split(vectors, np.cumsum([len(texts) for texts in lists])[:-1])
    arrays = [np.asarray(vectors, "float32") for vectors in lists]
    shapes = [array.shape for array in arrays]
    if any(array.ndim != 2 for array in arrays) or len({array.shape[1] for array in arrays}) != 1:
        raise ValueError(f"Expected vectors (N, D) of the same width. Received: shapes {shapes}")
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("Expected finite vectors. Received: NaN or infinity among them")
    return arrays
