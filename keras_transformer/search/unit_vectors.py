"""Texts or vectors, as functions of this room take them, to vectors of length 1."""

from collections.abc import Callable, Sequence

import numpy as np

from keras_transformer.types import Tensor, Texts

# Takes a list of `str`, returns vectors (N, D): the method `embed` of an embedder.
Embed = Callable[[list[str]], Tensor]


def unit_vectors(texts: Texts, embed: Embed | None = None, expected_width: int | None = None) -> np.ndarray:
    """Vectors of length 1; zero ones stay zero.

    Args:
        texts: N `str`, or their vectors (N, D).
        embed: takes a list of `str`, returns vectors (N, D); required for texts.
        expected_width: D, if it is known.

    Returns:
        (N, D), float32, a new array.

    Raises:
        ValueError: unless there is a finite vector for each text, of the expected width.

    Example:
        >>> from keras_transformer.search.unit_vectors import unit_vectors
        >>> unit_vectors([[3, 4], [0, 0]])
        array([[0.6, 0.8],
               [0. , 0. ]], dtype=float32)
    """
    if isinstance(texts, (str, bytes)):
        raise ValueError(f"Expected a list of texts, or vectors (N, D). Received a single text: {texts!r}")
    if embed is None and len(texts) and isinstance(texts[0], (str, bytes)):
        raise ValueError("Expected embed with texts, or vectors (N, D). Received: texts without embed")
    vectors = np.asarray(texts if embed is None else embed(list(texts)), "float32")
    if vectors.ndim != 2 or len(vectors) != len(texts) or expected_width not in (None, vectors.shape[1]):
        width = "D" if expected_width is None else expected_width
        raise ValueError(f"Expected vectors ({len(texts)}, {width}). Received: shape {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError("Expected finite vectors. Received: NaN or infinity among them")
    # In two steps: the square of a large or small float32 is none.
    largest = np.max(np.abs(vectors), axis=1, keepdims=True, initial=0)
    vectors = np.divide(vectors, largest, out=np.zeros_like(vectors), where=largest > 0)
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None]
    return np.divide(vectors, lengths, out=vectors, where=lengths > 0)


def as_embed(embedder: object, methods: Sequence[str]) -> Callable[..., Tensor]:
    """The first of `methods` that an embedder has: questions and responses may have methods of their own.

    Raises:
        TypeError: if it has none of them.
    """
    for name in methods:
        if hasattr(embedder, name):
            return getattr(embedder, name)
    raise TypeError(f"Expected an embedder with a method {' or '.join(methods)}. Received: {type(embedder).__name__}")
