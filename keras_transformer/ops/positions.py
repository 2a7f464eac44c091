"""Positions of the entries of a sequence, and the paper's sinusoids of them."""

import keras
import numpy as np
from keras import ops

from keras_transformer.types import Tensor

# Positions are split into two digits of this base; both halves of a product stay exact in float32.
_BASE = 4096


def resolve(positions: Tensor, inputs: Tensor) -> Tensor:
    """`positions`, checked against `inputs` (B, T, D), or 0 ... T-1 when they are `None`.

    Raises:
        ValueError: unless they are integers of shape (T,) or (B, T).
    """
    if positions is None:
        return ops.arange(ops.shape(inputs)[1], dtype="int32")
    if not isinstance(positions, keras.KerasTensor):
        positions = ops.convert_to_tensor(positions)
    batch, length = inputs.shape[:2]
    shape = tuple(positions.shape)
    expected = (length,) if len(shape) == 1 else (batch, length)
    fits = len(shape) in (1, 2) and all(a is None or e is None or a == e for a, e in zip(shape, expected))
    if "int" not in keras.backend.standardize_dtype(positions.dtype) or not fits:
        raise ValueError(
            f"Expected integer positions of shape ({length},) or ({batch}, {length}). "
            f"Received: shape={shape}, dtype={positions.dtype}"
        )
    return positions


def sinusoids(positions: Tensor, width: int, max_wavelength: float = 10000.0, layout: str = "interleaved") -> Tensor:
    """The encoding of integer `positions` (...): (..., width), float32.

    The angle of position p at frequency f is p * f. In float32 the product has lost its fraction of a turn
    long before p does, so that it is taken apart: p = high * 4096 + low, and the turns that one step of each
    digit makes, reduced to [0, 1) in float64, become a coarse part of 12 bits and a rest. A digit times the
    coarse part is exact, and its whole turns fall off without rounding.
    """
    pair = np.arange((width + 1) // 2, dtype=np.float64)
    turns_per_step = max_wavelength ** (-2.0 * pair / width) / (2 * np.pi)
    positions = ops.cast(positions, "int32")
    low = _turns(ops.mod(positions, _BASE), turns_per_step)
    high = _turns(ops.floor_divide(positions, _BASE), turns_per_step * _BASE)
    angle = (low + high) * (2 * np.pi)
    if layout == "halves":
        return ops.concatenate([ops.sin(angle), ops.cos(angle)], axis=-1)[..., :width]
    encoding = ops.stack([ops.sin(angle), ops.cos(angle)], axis=-1)
    shape = tuple(ops.shape(positions)) + (2 * len(pair),)
    return ops.reshape(encoding, shape)[..., :width]


def _turns(digit, turns_per_step):
    """Digit * turns_per_step up to whole turns: (...) and (n,) -> (..., n), float32."""
    fraction = np.mod(turns_per_step, 1.0)
    coarse = np.round(fraction * _BASE) / _BASE
    rest = fraction - coarse
    digit = ops.cast(digit, "float32")[..., None]
    product = digit * ops.convert_to_tensor(coarse.astype("float32"))
    return (product - ops.floor(product)) + digit * ops.convert_to_tensor(rest.astype("float32"))
