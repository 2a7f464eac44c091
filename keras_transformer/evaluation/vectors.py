"""What the scores of embedders share: vectors, given or made from texts, and figures with their intervals."""

import dataclasses

import numpy as np

_SEED = 12345


@dataclasses.dataclass(frozen=True)
class Estimate:
    """One figure of one embedder.

    Attributes:
        name: what it is.
        value: the figure.
        interval: (low, high), the 95% confidence interval: the middle 95% of the bootstrap resamples.
    """

    name: str
    value: float
    interval: tuple[float, float]


def check_counts(**lists):
    """Raises `ValueError` unless the lists are equally long and not empty."""
    counts = {name: len(values) for name, values in lists.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        counts = ", ".join(f"{name}={count}" for name, count in counts.items())
        raise ValueError(f"Expected equally many of each, at least one. Received: {counts}")


def as_vectors(embed, *lists):
    """Each list of texts, or array, as a float32 array (N, D); all texts are embedded in one call.

    Args:
        embed: takes a list of `str`, gives vectors (N, D); `None` where vectors are given.
        *lists: lists of `str`, or arrays (N, D).

    Raises:
        ValueError: unless the vectors are finite, one for each text and of the same width.
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


def interval(statistic, count, num_resamples):
    """The middle 95% of a statistic over bootstrap resamples, with a fixed seed.

    Args:
        statistic: takes the indices (count,) of a resample, gives a number; resamples where it is NaN are left out.
        count: how many examples there are.
        num_resamples: how often they are drawn.

    Returns:
        (low, high), NaN if all resamples are left out.

    References:
        Efron, 1979, "Bootstrap Methods: Another Look at the Jackknife".
    """
    generator = np.random.default_rng(_SEED)
    values = [statistic(generator.integers(count, size=count)) for _ in range(num_resamples)]
    values = [value for value in values if not np.isnan(value)] or [np.nan]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
