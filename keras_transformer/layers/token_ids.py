"""Token ids outside the vocabulary: an error where values can be read, as in eager calls."""

import keras
from keras import ops


def check(ids, vocabulary_size, name="token ids"):
    """Raises `ValueError` unless all ids are whole numbers in [0, vocabulary_size); a graph's cannot be read."""
    # Of a tensor of a TensorFlow graph NumPy would warn before it fails.
    if isinstance(ids, keras.KerasTensor) or hasattr(ids, "graph"):
        return
    ids = ops.convert_to_tensor(ids)
    if "int" in keras.backend.standardize_dtype(ids.dtype):
        whole = ops.cast(ids, "int64")  # 8 bits may not hold the vocabulary's size
        is_known = ops.logical_and(whole >= 0, whole < vocabulary_size)
    else:
        is_known = ops.logical_and(ops.equal(ids, ops.floor(ids)), ops.logical_and(ids >= 0, ids < vocabulary_size))
    try:
        if bool(ops.all(is_known)):  # one value from the device
            return
    except (NotImplementedError, TypeError, ValueError):  # of JAX' tracers
        return
    unknown = ops.convert_to_numpy(ids)[~ops.convert_to_numpy(is_known)]
    raise ValueError(f"Expected {name} in [0, {vocabulary_size}). Received: {unknown[0]}")
