"""Token ids outside the vocabulary: an error where values can be read, as in eager calls."""

import numpy as np
from keras import ops


def check(ids, vocabulary_size, name="token ids"):
    """Raises `ValueError` unless all ids are whole numbers in [0, vocabulary_size); a graph's cannot be read."""
    try:
        ids = ops.convert_to_numpy(ids)
    except (NotImplementedError, TypeError, ValueError):  # of TensorFlow's graphs, JAX' tracers, symbolic tensors
        return
    unknown = ids[~((ids >= 0) & (ids < vocabulary_size) & (ids == np.floor(ids)))]
    if unknown.size:
        raise ValueError(f"Expected {name} in [0, {vocabulary_size}). Received: {unknown[0]}")
