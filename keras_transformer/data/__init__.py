"""The user's files: their lines and rows, and tf.data pipelines from them."""

from keras_transformer.data.lines import read_lines
from keras_transformer.data.parallel_text import ParallelText, count_pairs
from keras_transformer.data.tab_separated import read_rows

__all__ = ["ParallelText", "count_pairs", "read_lines", "read_rows"]
