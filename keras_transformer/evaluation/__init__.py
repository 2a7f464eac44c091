"""How good a model is, in numbers and pictures."""

from keras_transformer.evaluation.attention_plot import plot_attention
from keras_transformer.evaluation.translation import (
    MetricScore,
    ScoredTranslation,
    TranslationComparison,
    TranslationScores,
    compare_translations,
    score_translations,
    worst_translations,
)

__all__ = [
    "MetricScore",
    "ScoredTranslation",
    "TranslationComparison",
    "TranslationScores",
    "compare_translations",
    "plot_attention",
    "score_translations",
    "worst_translations",
]
