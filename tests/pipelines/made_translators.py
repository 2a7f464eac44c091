"""Translators of few words, with random weights."""

from keras_transformer import Translator
from keras_transformer.models import Transformer
from keras_transformer.text import SubwordTokenizer
from tests import made_data, reference

TEXTS = ["red dog", "", "blue house runs", "  ", "cat"]


def make(num_layers=1, **kwargs):
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 30)
    transformer = Transformer(tokenizer.vocabulary_size, num_layers, 12, 19, 3)
    reference.randomize(transformer, seed=1)
    return Translator(transformer, tokenizer, **{"max_extra_length": 6, **kwargs})


def strings(tensor):
    return [text.decode() for text in tensor.numpy()]
