"""Anybody's SavedModels inside Keras 3 models."""

from keras_transformer.hub.hub_layer import HubLayer

__all__ = ["HubLayer"]
