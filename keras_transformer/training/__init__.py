"""What `model.fit` needs to train a Transformer: objective, schedule, metrics, callbacks."""

from keras_transformer.training.callbacks import SaveBest, StopAfter
from keras_transformer.training.fit_translator import fit_translator
from keras_transformer.training.losses import LabelSmoothedCrossEntropy
from keras_transformer.training.metrics import Perplexity, TokenAccuracy
from keras_transformer.training.schedules import InverseSquareRootSchedule, NoamSchedule

__all__ = [
    "InverseSquareRootSchedule",
    "LabelSmoothedCrossEntropy",
    "NoamSchedule",
    "Perplexity",
    "SaveBest",
    "StopAfter",
    "TokenAccuracy",
    "fit_translator",
]
