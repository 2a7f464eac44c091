"""Checkpoints of other libraries as our pipelines, from a local folder."""

from keras_transformer.convert.sentence_encoder import convert_sentence_encoder

__all__ = ["convert_sentence_encoder"]
