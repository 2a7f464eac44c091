"""Training: objectives, schedules, metrics, callbacks, recipes, and a trainer for many devices.

What needs TensorFlow is imported when it is asked for.
"""

import importlib

from keras_transformer.training.callbacks import HistoryFile, SaveBest
from keras_transformer.training.consistency import consistency_losses
from keras_transformer.training.embedding_recipe import EmbeddingRecipe
from keras_transformer.training.fit_embedder import fit_embedder
from keras_transformer.training.fit_translator import fit_translator
from keras_transformer.training.losses import LabelSmoothedCrossEntropy
from keras_transformer.training.metrics import Perplexity, TokenAccuracy
from keras_transformer.training.objectives import (
    NaturalLanguageInference,
    ResponseRanking,
    SimilarityCorrelation,
    SimilarityRegression,
    TeacherVectors,
)
from keras_transformer.training.recipes import RECIPES, TranslationRecipe
from keras_transformer.training.schedules import InverseSquareRootSchedule, LinearDecaySchedule, NoamSchedule
from keras_transformer.training.sentence_tasks import SentenceTask
from keras_transformer.training.train_embedder import read_tasks, train_embedder
from keras_transformer.training.train_translator import train_translator
from keras_transformer.training.training_run import TrainingRun

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
    "EmbeddingRecipe",
    "NaturalLanguageInference",
    "RECIPES",
    "ResponseRanking",
    "SentenceTask",
    "SimilarityCorrelation",
    "SimilarityRegression",
    "TeacherVectors",
    "fit_embedder",
    "HistoryFile",
    "InverseSquareRootSchedule",
    "LabelSmoothedCrossEntropy",
    "LinearDecaySchedule",
    "NoamSchedule",
    "Perplexity",
    "SaveBest",
    "TokenAccuracy",
    "TrainingRun",
    "TranslationRecipe",
    "consistency_losses",
    "fit_translator",
    "read_tasks",
    "train_embedder",
    "train_translator",
    *_NEEDS_TENSORFLOW,
]


def __getattr__(name: str):
    if name in _NEEDS_TENSORFLOW:
        return getattr(importlib.import_module(f"{__name__}.{_NEEDS_TENSORFLOW[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
