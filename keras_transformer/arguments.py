"""Checks of constructor arguments: each says what was expected and what came."""

import numbers
from collections.abc import Sequence
from typing import Any

from keras_transformer.types import Shape, Tensor


def positive_integer(name: str, value: int) -> int:
    """Returns `value` as an int; raises `ValueError` unless it is an integer of at least 1."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"Expected a positive integer. Received: {name}={value!r}")
    return int(value)


def optional_positive_integer(name: str, value: int | None) -> int | None:
    """As `positive_integer`, but `None` passes."""
    return None if value is None else positive_integer(name, value)


def rate(name: str, value: float) -> float:
    """Returns `value` as a float; raises `ValueError` unless 0 <= value < 1."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not 0 <= value < 1:
        raise ValueError(f"Expected a number in [0, 1). Received: {name}={value!r}")
    return float(value)


def positive_number(name: str, value: float) -> float:
    """Returns `value` as a float; raises `ValueError` unless it is finite and above 0."""
    if not isinstance(value, numbers.Real) or not 0 < value < float("inf"):
        raise ValueError(f"Expected a finite number above 0. Received: {name}={value!r}")
    return float(value)


def one_of(name: str, value: Any, choices: Sequence[Any]) -> Any:
    """Returns `value`; raises `ValueError` unless it is among `choices`."""
    if value not in choices:
        raise ValueError(f"Expected one of {list(choices)}. Received: {name}={value!r}")
    return value


def token_id(name: str, value: int, vocabulary_size: int) -> int:
    """Returns `value` as an int; raises `ValueError` unless 0 <= value < vocabulary_size."""
    if not isinstance(value, numbers.Integral) or not 0 <= value < vocabulary_size:
        raise ValueError(f"Expected a token id in [0, {vocabulary_size}). Received: {name}={value!r}")
    return int(value)


def seed(name: str, value: int) -> int:
    """Returns `value` as an int; raises `ValueError` unless 0 <= value < 2^31."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ValueError(f"Expected a seed, an integer in [0, 2^31). Received: {name}={value!r}")
    return int(value)


def known_width(layer: Any, shape: Shape, rank: int | tuple[int, ...] | None = None) -> int:
    """Returns the static last dimension of `shape`; `rank` is how many axes it has, or a tuple of such numbers."""
    shape = tuple(shape)
    ranks = rank if isinstance(rank, tuple) else (rank,)
    if (rank is not None and len(shape) not in ranks) or shape[-1] is None:
        of_rank = f" of rank {' or '.join(map(str, ranks))}" if rank else ""
        raise ValueError(
            f"{type(layer).__name__} expected inputs{of_rank} with a known last dimension. Received: shape={shape}"
        )
    return shape[-1]


def same_batch(layer: Any, **tensors: Tensor) -> None:
    """Raises `ValueError` where the known batch sizes of two tensors, given by their names, differ."""
    sizes = {name: tensor.shape[0] for name, tensor in tensors.items()}
    if not _fit(sizes.values()):
        raise ValueError(f"{type(layer).__name__} expected equal batch sizes. Received: {_listed(sizes)}")


def same_shape(layer: Any, **shapes: Shape) -> None:
    """Raises `ValueError` where what is known of two shapes, given by their names, differs."""
    one, other = shapes.values()
    if len(one) != len(other) or not all(map(_fit, zip(one, other))):
        raise ValueError(f"{type(layer).__name__} expected equal shapes. Received: {_listed(shapes)}")


def _fit(sizes):
    return len({size for size in sizes if isinstance(size, int)}) <= 1


def _listed(values):
    return ", ".join(f"{name}: {value}" for name, value in values.items())


def non_negative_integer(name: str, value: int) -> int:
    """Returns `value` as an int; raises `ValueError` unless it is an integer of at least 0."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 0:
        raise ValueError(f"Expected an integer of at least 0. Received: {name}={value!r}")
    return int(value)


def non_negative_number(name: str, value: float) -> float:
    """Returns `value` as a float; raises `ValueError` unless it is finite and at least 0."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not 0 <= value < float("inf"):
        raise ValueError(f"Expected a finite number of at least 0. Received: {name}={value!r}")
    return float(value)


def fraction(name: str, value: float) -> float:
    """Returns `value` as a float; raises `ValueError` unless 0 < value <= 1."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not 0 < value <= 1:
        raise ValueError(f"Expected a number in (0, 1]. Received: {name}={value!r}")
    return float(value)
