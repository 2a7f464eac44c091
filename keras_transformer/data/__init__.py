"""The user's files: their lines and rows, and tf.data pipelines from them.

What needs TensorFlow is imported when it is asked for.
"""

import importlib

from keras_transformer.data.lines import read_lines
from keras_transformer.data.tab_separated import read_rows

_NEEDS_TENSORFLOW = {"ParallelText": "parallel_text", "count_pairs": "parallel_text"}

__all__ = ["read_lines", "read_rows", *_NEEDS_TENSORFLOW]


def __getattr__(name):
    if name in _NEEDS_TENSORFLOW:
        return getattr(importlib.import_module(f"{__name__}.{_NEEDS_TENSORFLOW[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
