"""Figures with their bootstrap confidence intervals."""

import dataclasses
from collections.abc import Callable

import numpy as np

_SEED = 12345


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A figure with its confidence interval.

    Attributes:
        name: of the figure.
        value: the figure itself.
        interval: (low, high), the 95% confidence interval: the middle 95% of the bootstrap resamples.

    Example:
        >>> from keras_transformer.evaluation import Estimate
        >>> accuracy = Estimate("accuracy", 0.8, (0.75, 0.85))
        >>> f"{accuracy.name}: {accuracy.value}"
        'accuracy: 0.8'
    """

    name: str
    value: float
    interval: tuple[float, float]


def bootstrap_interval(statistic: Callable[[np.ndarray], float], count: int, num_resamples: int) -> tuple[float, float]:
    """The middle 95% of a statistic over bootstrap resamples, drawn with a fixed seed.

    Args:
        statistic: takes the indices (count,) of a resample, returns a number. NaN is ignored.
        count: number of examples.
        num_resamples: number of resamples.

    Returns:
        (low, high); NaN if the statistic is NaN for all resamples.

    References:
        Efron, 1979, "Bootstrap Methods: Another Look at the Jackknife".
    """
    generator = np.random.default_rng(_SEED)
    values = [statistic(generator.integers(count, size=count)) for _ in range(num_resamples)]
    values = [value for value in values if not np.isnan(value)] or [np.nan]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
