"""Strings to padded token ids and back, inside the TensorFlow graph."""

from keras_transformer.text.byte_tokenizer import ByteTokenizer
from keras_transformer.text.marian_tokenizer import MarianTokenizer
from keras_transformer.text.subword_tokenizer import SubwordTokenizer
from keras_transformer.text.tokenizer import Tokenizer
from keras_transformer.text.word_piece_tokenizer import WordPieceTokenizer
from keras_transformer.text.word_tokenizer import WordTokenizer

__all__ = ["ByteTokenizer", "MarianTokenizer", "SubwordTokenizer", "Tokenizer", "WordPieceTokenizer", "WordTokenizer"]
