"""Trained models as SavedModels."""

from keras_transformer.export.frozen import frozen_weights
from keras_transformer.export.litert import litert_model
from keras_transformer.export.litert_metadata import with_metadata
from keras_transformer.export.onnx import onnx_model, with_sentencepiece
from keras_transformer.export.saved_model import write_saved_model
from keras_transformer.export.versions import next_version

__all__ = [
    "frozen_weights",
    "litert_model",
    "next_version",
    "onnx_model",
    "with_metadata",
    "with_sentencepiece",
    "write_saved_model",
]
