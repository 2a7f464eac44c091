"""tf.data pipelines from the user's files."""

from keras_transformer.data.lines import read_lines
from keras_transformer.data.parallel_text import ParallelText, count_pairs

__all__ = ["ParallelText", "count_pairs", "read_lines"]
