"""Bulk, beyond one machine: transforms of Apache Beam over saved models, strings in.

Needs the extra `beam`. Nothing else of the package imports this room.
"""

from keras_transformer.beam.embed_text import EmbedText
from keras_transformer.beam.model_handlers import EmbedderHandler, TranslatorHandler
from keras_transformer.beam.text_elements import DeadLetter
from keras_transformer.beam.text_transform import TextResults
from keras_transformer.beam.translate import Translate

__all__ = ["DeadLetter", "EmbedText", "EmbedderHandler", "TextResults", "Translate", "TranslatorHandler"]
