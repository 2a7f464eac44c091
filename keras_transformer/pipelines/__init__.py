"""What a user calls and a server serves: tokenizer, model and decoding in one object."""

from keras_transformer.pipelines.text_embedder import TextEmbedder
from keras_transformer.pipelines.translator import Translator

__all__ = ["TextEmbedder", "Translator"]
