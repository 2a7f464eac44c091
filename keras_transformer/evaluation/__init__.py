"""Evaluation: scores of translators and embedders, and pictures of what they do."""

from keras_transformer.evaluation.alignment_uniformity import AlignmentUniformityScores, score_alignment_uniformity
from keras_transformer.evaluation.answer_retrieval import score_answers
from keras_transformer.evaluation.attention_plot import plot_attention
from keras_transformer.evaluation.bitext import BitextScores, score_bitext
from keras_transformer.evaluation.clustering import ClusteringScores, score_clustering
from keras_transformer.evaluation.embedding_plot import plot_embeddings
from keras_transformer.evaluation.estimate import Estimate
from keras_transformer.evaluation.histogram_plot import plot_similarity_histogram
from keras_transformer.evaluation.html_report import write_html_report
from keras_transformer.evaluation.identifiers import IdentifierScores, score_identifiers
from keras_transformer.evaluation.information_retrieval import InformationRetrievalScores, score_information_retrieval
from keras_transformer.evaluation.mteb_model import MtebModel
from keras_transformer.evaluation.pair_scores import PairScores, score_pairs
from keras_transformer.evaluation.report import Measured, MeasuredTask, markdown_table
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
    "AlignmentUniformityScores",
    "BitextScores",
    "ClassificationScores",
    "ClusteringScores",
    "Estimate",
    "IdentifierScores",
    "InformationRetrievalScores",
    "Measured",
    "MeasuredTask",
    "MetricScore",
    "MtebModel",
    "PairScores",
    "RetrievalScores",
    "ScoredTranslation",
    "SimilarityScores",
    "TranslationComparison",
    "TranslationScores",
    "compare_translations",
    "cross_validate",
    "markdown_table",
    "nearest_translation",
    "plot_attention",
    "plot_embeddings",
    "plot_similarity",
    "plot_similarity_histogram",
    "score_alignment_uniformity",
    "score_answers",
    "score_bitext",
    "score_clustering",
    "score_identifiers",
    "score_information_retrieval",
    "score_pairs",
    "score_retrieval",
    "score_similarity",
    "score_translations",
    "train_and_test",
    "worst_translations",
    "write_html_report",
]
