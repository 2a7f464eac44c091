"""From a model that scores tokens to whole sequences, inside the graph."""

from keras_transformer.decoding.greedy import greedy_decode

__all__ = ["greedy_decode"]
