"""The user's files: readers of lines and rows, and `tf.data` batches of translation pairs.

`ParallelText` is imported on first use, since it needs TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

from keras_transformer.data.answers import read_answers
from keras_transformer.data.beir import RetrievalTask, read_beir
from keras_transformer.data.lines import read_lines
from keras_transformer.data.pairs import count_pairs
from keras_transformer.data.scored_pairs import ScoredPairs, read_scored_pairs
from keras_transformer.data.tab_separated import read_rows

if TYPE_CHECKING:
    from keras_transformer.data.parallel_text import ParallelText

__all__ = [
    "ParallelText",
    "RetrievalTask",
    "ScoredPairs",
    "count_pairs",
    "read_answers",
    "read_beir",
    "read_lines",
    "read_rows",
    "read_scored_pairs",
]


def __getattr__(name: str) -> Any:
    if name == "ParallelText":
        return importlib.import_module("keras_transformer.data.parallel_text").ParallelText
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
