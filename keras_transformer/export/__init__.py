"""Trained models as SavedModels."""

from keras_transformer.export.saved_model import write_saved_model

__all__ = ["write_saved_model"]
