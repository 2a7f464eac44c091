"""Trained models as SavedModels."""

from keras_transformer.export.frozen import frozen_weights
from keras_transformer.export.saved_model import write_saved_model
from keras_transformer.export.versions import next_version

__all__ = ["frozen_weights", "next_version", "write_saved_model"]
