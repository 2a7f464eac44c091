"""Whole models, composed of `keras_transformer.layers` with the Functional API: numbers in, numbers out."""

from keras_transformer.models.bert_encoder import BertEncoder
from keras_transformer.models.cross_encoder import CrossEncoder
from keras_transformer.models.deep_averaging_network import DeepAveragingNetwork
from keras_transformer.models.ensemble import Ensemble
from keras_transformer.models.presets import PRESETS
from keras_transformer.models.question_answer_encoder import QuestionAnswerEncoder
from keras_transformer.models.sentence_encoder import SentenceEncoder
from keras_transformer.models.static_embedding import StaticEmbedding
from keras_transformer.models.transformer import Transformer
from keras_transformer.models.warm_start import warm_start

__all__ = [
    "PRESETS",
    "BertEncoder",
    "CrossEncoder",
    "DeepAveragingNetwork",
    "Ensemble",
    "QuestionAnswerEncoder",
    "SentenceEncoder",
    "StaticEmbedding",
    "Transformer",
    "warm_start",
]
