"""Evaluation: scores of translators and embedders, and pictures of what they do."""

from keras_transformer.evaluation.answer_retrieval import score_answers
from keras_transformer.evaluation.attention_plot import plot_attention
from keras_transformer.evaluation.estimate import Estimate
from keras_transformer.evaluation.identifiers import IdentifierScores, score_identifiers
from keras_transformer.evaluation.pair_scores import PairScores, score_pairs
from keras_transformer.evaluation.retrieval import RetrievalScores, score_retrieval
from keras_transformer.evaluation.sentence_scores import ScoredTranslation, nearest_translation, worst_translations
from keras_transformer.evaluation.similarity_plot import plot_similarity
from keras_transformer.evaluation.text_classification import ClassificationScores, cross_validate, train_and_test
from keras_transformer.evaluation.textual_similarity import SimilarityScores, score_similarity
from keras_transformer.evaluation.translation import (
    MetricScore,
    TranslationComparison,
    TranslationScores,
    compare_translations,
    score_translations,
)

__all__ = [
    "ClassificationScores",
    "Estimate",
    "IdentifierScores",
    "MetricScore",
    "PairScores",
    "RetrievalScores",
    "ScoredTranslation",
    "SimilarityScores",
    "TranslationComparison",
    "TranslationScores",
    "compare_translations",
    "cross_validate",
    "nearest_translation",
    "plot_attention",
    "plot_similarity",
    "score_answers",
    "score_identifiers",
    "score_pairs",
    "score_retrieval",
    "score_similarity",
    "score_translations",
    "train_and_test",
    "worst_translations",
]
