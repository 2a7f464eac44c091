"""How good a model is, in numbers and pictures."""

from keras_transformer.evaluation.attention_plot import plot_attention
from keras_transformer.evaluation.retrieval import RetrievalScores, score_retrieval
from keras_transformer.evaluation.similarity_plot import plot_similarity
from keras_transformer.evaluation.text_classification import ClassificationScores, cross_validate, train_and_test
from keras_transformer.evaluation.textual_similarity import SimilarityScores, score_similarity
from keras_transformer.evaluation.translation import (
    MetricScore,
    ScoredTranslation,
    TranslationComparison,
    TranslationScores,
    compare_translations,
    nearest_translation,
    score_translations,
    worst_translations,
)
from keras_transformer.evaluation.vectors import Estimate

__all__ = [
    "ClassificationScores",
    "Estimate",
    "MetricScore",
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
    "score_retrieval",
    "score_similarity",
    "score_translations",
    "train_and_test",
    "worst_translations",
]
