"""How alike vectors are, on NumPy arrays."""

import numpy as np

from keras_transformer import arguments
from keras_transformer.types import Tensor

KINDS = ("angular", "cosine")


def similarity(a: Tensor, b: Tensor, kind: str = "angular", paired: bool = False) -> np.ndarray:
    """How alike the rows of two arrays are.

    "cosine" is u.v / |u||v|, from -1 to 1, and 0 where a vector is zero. "angular" is 1 - arccos(cosine) / pi: 0 for
    opposite directions, 0.5 for a right angle (and where a vector is zero), 1 for the same direction. It tells
    neighbours apart that the cosine, flat near 1, crowds together.

    Cosines are rounded to 12 decimals, so that equal vectors have exactly 1 and all of them tie.

    Args:
        a: (N, D).
        b: (M, D).
        kind: "angular" or "cosine".
        paired: compare row n of `a` with row n of `b` alone; N and M are equal.

    Returns:
        (N, M), or (N,) if `paired`; float64.

    Raises:
        ValueError: for an unknown kind, arrays of other shapes, and NaN or infinity.

    References:
        Cer et al., 2018, "Universal Sentence Encoder", section 5.

    Example:
        >>> keras_transformer.pipelines.similarity([[1, 0]], [[2, 0], [0, 3], [-1, 0]])
        array([[1. , 0.5, 0. ]])
    """
    arguments.one_of("kind", kind, KINDS)
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or (paired and len(a) != len(b)):
        expected = "(N, D) and (N, D)" if paired else "(N, D) and (M, D)"
        raise ValueError(f"Expected arrays {expected}. Received: shapes {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("Expected finite vectors. Received: NaN or infinity among them")
    a, b = directions(a), directions(b)
    cosines = np.sum(a * b, axis=1) if paired else a @ b.T
    cosines = np.clip(np.round(cosines, 12, out=cosines), -1, 1, out=cosines)
    return cosines if kind == "cosine" else 1 - np.arccos(cosines, out=cosines) / np.pi


def truncated(vectors: Tensor, truncate_dim: int) -> np.ndarray:
    """The first numbers of each vector, of length 1 again: of an embedder that was trained for it (Matryoshka).

    Args:
        vectors: (N, D), floating.
        truncate_dim: how many numbers are kept.

    Returns:
        (N, `truncate_dim`), of the dtype of `vectors`; zero where these numbers are.

    Raises:
        ValueError: for arrays of other shapes, and a `truncate_dim` that is not from 1 to D.

    References:
        Kusupati et al., 2022, "Matryoshka Representation Learning".

    Example:
        >>> keras_transformer.pipelines.truncated(np.array([[3.0, 4.0, 12.0]]), truncate_dim=2)
        array([[0.6, 0.8]])
    """
    vectors = np.asarray(vectors)
    arguments.positive_integer("truncate_dim", truncate_dim)
    if vectors.ndim != 2 or truncate_dim > vectors.shape[1]:
        raise ValueError(f"Expected vectors (N, D), D at least {truncate_dim}. Received: shape {vectors.shape}")
    return directions(vectors[:, :truncate_dim])


def directions(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, D) of length 1, of the same dtype; zero ones stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
