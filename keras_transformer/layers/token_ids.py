"""Token ids outside the vocabulary: an error where values can be read, as in eager calls."""

import keras
import numpy as np
from keras import ops


def check(ids, vocabulary_size, name="token ids"):
    """Raises `ValueError` unless all ids are whole numbers in [0, vocabulary_size); a graph's cannot be read."""
    # Of a tensor of a TensorFlow graph NumPy would warn before it fails.
    if isinstance(ids, keras.KerasTensor) or hasattr(ids, "graph"):
        return
    try:
        ids = ops.convert_to_numpy(ids)
    except (NotImplementedError, TypeError, ValueError):  # of JAX' tracers
        return
    unknown = ids[~((ids >= 0) & (ids < vocabulary_size) & (ids == np.floor(ids)))]
    if unknown.size:
        raise ValueError(f"Expected {name} in [0, {vocabulary_size}). Received: {unknown[0]}")
