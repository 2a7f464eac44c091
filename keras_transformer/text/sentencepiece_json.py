"""SentencePiece models as parts of a tokenizer.json."""

from keras_transformer.types import Config


def sentencepiece_parts(model: bytes) -> Config:
    raise ValueError("todo")
