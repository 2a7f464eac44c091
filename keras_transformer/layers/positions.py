"""Positions of the entries of a sequence, as both position layers take them."""

import keras
from keras import ops


def resolve(positions, inputs):
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
