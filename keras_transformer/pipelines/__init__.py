"""What a user calls and a server serves: tokenizer, model and decoding in one object."""

from keras_transformer.pipelines.exported_embedder import ExportedEmbedder
from keras_transformer.pipelines.exported_question_answer_embedder import ExportedQuestionAnswerEmbedder
from keras_transformer.pipelines.exported_text_pair_scorer import ExportedTextPairScorer
from keras_transformer.pipelines.exported_translator import ExportedTranslator
from keras_transformer.pipelines.litert_embedder import LiteRtEmbedder
from keras_transformer.pipelines.litert_translator import LiteRtTranslator
from keras_transformer.pipelines.loading import load, load_embedder, load_pair_scorer, load_question_answerer
from keras_transformer.pipelines.pair_scoring import RankedText
from keras_transformer.pipelines.question_answer_embedder import QuestionAnswerEmbedder
from keras_transformer.pipelines.text_embedder import TextEmbedder
from keras_transformer.pipelines.text_pair_scorer import TextPairScorer
from keras_transformer.pipelines.translator import Translator
from keras_transformer.pipelines.translator_loading import load_translator
from keras_transformer.vector_similarity import similarity, truncated

__all__ = [
    "ExportedEmbedder",
    "ExportedQuestionAnswerEmbedder",
    "ExportedTextPairScorer",
    "ExportedTranslator",
    "LiteRtEmbedder",
    "LiteRtTranslator",
    "QuestionAnswerEmbedder",
    "RankedText",
    "TextEmbedder",
    "TextPairScorer",
    "Translator",
    "load",
    "load_embedder",
    "load_pair_scorer",
    "load_question_answerer",
    "load_translator",
    "similarity",
    "truncated",
]
