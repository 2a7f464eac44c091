"""Training: objectives, schedules, metrics, callbacks, recipes, and a trainer for many devices.

What needs TensorFlow is imported when it is asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

from keras_transformer.training.callbacks import HistoryFile, SaveBest
from keras_transformer.training.consistency import consistency_losses
from keras_transformer.training.contrastive import ContrastivePairs, OnlineContrastivePairs
from keras_transformer.training.denoising import DenoisingDecoder
from keras_transformer.training.distillation import TeacherVectors
from keras_transformer.training.embedding_recipe import EmbeddingRecipe
from keras_transformer.training.fit_embedder import fit_embedder
from keras_transformer.training.fit_pair_scorer import fit_pair_scorer
from keras_transformer.training.fit_question_answerer import fit_question_answerer
from keras_transformer.training.fit_translator import fit_translator
from keras_transformer.training.guided_ranking import GuidedRanking
from keras_transformer.training.hard_negatives import mine_hard_negatives
from keras_transformer.training.least_squares_start import start_from_least_squares
from keras_transformer.training.losses import LabelSmoothedCrossEntropy
from keras_transformer.training.matryoshka import Matryoshka
from keras_transformer.training.metrics import Perplexity, TokenAccuracy
from keras_transformer.training.objectives import (
    NaturalLanguageInference,
    ResponseRanking,
    SimilarityCorrelation,
    SimilarityRegression,
)
from keras_transformer.training.pair_data import PairData
from keras_transformer.training.pair_order import AnglE, CoSENT
from keras_transformer.training.question_answering import QuestionAnswerRanking
from keras_transformer.training.recipes import RECIPES, TranslationRecipe
from keras_transformer.training.schedules import InverseSquareRootSchedule, LinearDecaySchedule, NoamSchedule
from keras_transformer.training.sentence_tasks import SentenceTask
from keras_transformer.training.static_distillation import distill_to_static
from keras_transformer.training.teacher_scores import MarginMSE, ScoreDistribution
from keras_transformer.training.train_embedder import read_tasks, train_embedder
from keras_transformer.training.train_pair_scorer import train_pair_scorer
from keras_transformer.training.train_question_answerer import train_question_answerer
from keras_transformer.training.train_translator import train_translator
from keras_transformer.training.training_run import TrainingRun
from keras_transformer.training.triplets import ClassTriplets, TripletMargin

if TYPE_CHECKING:
    from keras_transformer.training.distribution import make_strategy
    from keras_transformer.training.gradient_step import GradientStep
    from keras_transformer.training.sentence_training_loop import SentenceTrainingLoop
    from keras_transformer.training.tensorboard_scalars import TensorBoardScalars
    from keras_transformer.training.trainer import Trainer
    from keras_transformer.training.training_loop import TrainingLoop
    from keras_transformer.training.translation_validation import TranslationValidation

_NEEDS_TENSORFLOW = {
    "GradientStep": "gradient_step",
    "SentenceTrainingLoop": "sentence_training_loop",
    "TensorBoardScalars": "tensorboard_scalars",
    "Trainer": "trainer",
    "TrainingLoop": "training_loop",
    "TranslationValidation": "translation_validation",
    "make_strategy": "distribution",
}

__all__ = [
    "RECIPES",
    "AnglE",
    "ClassTriplets",
    "CoSENT",
    "ContrastivePairs",
    "DenoisingDecoder",
    "EmbeddingRecipe",
    "GradientStep",
    "GuidedRanking",
    "HistoryFile",
    "InverseSquareRootSchedule",
    "LabelSmoothedCrossEntropy",
    "LinearDecaySchedule",
    "MarginMSE",
    "Matryoshka",
    "NaturalLanguageInference",
    "NoamSchedule",
    "OnlineContrastivePairs",
    "PairData",
    "Perplexity",
    "QuestionAnswerRanking",
    "ResponseRanking",
    "SaveBest",
    "ScoreDistribution",
    "SentenceTask",
    "SentenceTrainingLoop",
    "SimilarityCorrelation",
    "SimilarityRegression",
    "TeacherVectors",
    "TensorBoardScalars",
    "TokenAccuracy",
    "Trainer",
    "TrainingLoop",
    "TrainingRun",
    "TranslationRecipe",
    "TranslationValidation",
    "TripletMargin",
    "consistency_losses",
    "distill_to_static",
    "fit_embedder",
    "fit_pair_scorer",
    "fit_question_answerer",
    "fit_translator",
    "make_strategy",
    "mine_hard_negatives",
    "read_tasks",
    "start_from_least_squares",
    "train_embedder",
    "train_pair_scorer",
    "train_question_answerer",
    "train_translator",
]


def __getattr__(name: str) -> Any:
    if name in _NEEDS_TENSORFLOW:
        return getattr(importlib.import_module(f"{__name__}.{_NEEDS_TENSORFLOW[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
