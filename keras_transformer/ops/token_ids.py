"""Token ids outside the vocabulary: an error where values can be read, as in eager calls."""

import keras
from keras import ops

from keras_transformer.types import Tensor

_SHORT = ("int8", "uint8", "int16", "uint16")  # may not hold the vocabulary's size


def check(ids: Tensor, vocabulary_size: int, name: str = "token ids") -> None:
    """Raises `ValueError` unless all ids are whole numbers in [0, vocabulary_size); a graph's cannot be read."""
    # Of a tensor of a TensorFlow graph NumPy would warn before it fails.
    if isinstance(ids, keras.KerasTensor) or hasattr(ids, "graph"):
        return
    ids = ops.convert_to_tensor(ids)
    dtype = keras.backend.standardize_dtype(ids.dtype)
    if dtype in _SHORT:
        ids = ops.cast(ids, "int32")
    is_known = ops.logical_and(ids >= 0, ids < vocabulary_size)
    if "int" not in dtype:
        is_known = ops.logical_and(is_known, ops.equal(ids, ops.floor(ids)))
    try:
        if bool(ops.all(is_known)):  # one value from the device
            return
    except (NotImplementedError, TypeError, ValueError):  # of JAX' tracers
        return
    unknown = ops.convert_to_numpy(ids)[~ops.convert_to_numpy(is_known)]
    raise ValueError(f"Expected {name} in [0, {vocabulary_size}). Received: {unknown[0]}")
