"""Synthetic vectors, and searches over them by brute force."""

import numpy as np


def vectors(count, width=8, seed=0, groups=5):
    """Vectors (count, width) around so many directions, of any length; the last one is zero, and the first repeated."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((groups, width))
    made = centres[rng.integers(groups, size=count)] + 0.3 * rng.standard_normal((count, width))
    made *= rng.uniform(0.1, 10, size=(count, 1))
    made[-1] = 0
    made[count // 2] = made[0]
    return made.astype("float32")


def cosines(a, b):
    """(N, M), float64."""
    a, b = (x.astype("float64") / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30) for x in (a, b))
    return a @ b.T
