import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from keras_transformer.training.checkpoint import read_checkpoint, write_checkpoint
from keras_transformer.types import PathLike


class WeightSnapshots:
    """The mean of the weights at the ends of the last evaluation intervals (checkpoint averaging).

    Args:
        prefix: path of the snapshots, one file each, up to the number of their step.
        count: how many to keep.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", section 6.1.

    Example:
        >>> from keras_transformer.training.weight_snapshots import WeightSnapshots
        >>> snapshots, weight = WeightSnapshots(tmp_path / "weights-", 2), keras.Variable(0.0)
        >>> for step in (1, 2, 3):
        ...     _ = weight.assign(step)
        ...     with snapshots.averaged([weight], step):
        ...         print(float(weight.numpy()))
        1.0
        1.5
        2.5
    """

    def __init__(self, prefix: PathLike, count: int) -> None:
        self.prefix = os.fspath(prefix)
        self.count = count
        self.steps: list[int] = []

    @contextlib.contextmanager
    def averaged(self, variables: Sequence[Any], step: int) -> Iterator[None]:
        """Takes a snapshot after `step`; within it, the variables have the mean of the last `count` ones."""
        write_checkpoint(self._path(step), variables, None)
        self.steps = [*(other for other in self.steps if other != step), step][-self.count :]
        current = [variable.numpy() for variable in variables]
        sums = [np.zeros_like(value, "float64") for value in current]
        try:
            for kept in self.steps:
                read_checkpoint(self._path(kept), variables)
                sums = [total + variable.numpy() for total, variable in zip(sums, variables)]
            for variable, total in zip(variables, sums):
                variable.assign(total / len(self.steps))
            yield
        finally:
            for variable, value in zip(variables, current):
                variable.assign(value)

    def remove_others(self) -> None:
        """Removes the files that are no longer needed."""
        folder, prefix = os.path.split(self.prefix)
        kept = {os.path.basename(self._path(step)) for step in self.steps}
        for name in os.listdir(folder):
            if name.startswith(prefix) and name not in kept:
                os.remove(os.path.join(folder, name))

    def _path(self, step):
        return f"{self.prefix}{step}"
