"""Checkpoints of other libraries as our pipelines, from a local folder."""

from keras_transformer.convert.checkpoint import convert

__all__ = ["convert"]
