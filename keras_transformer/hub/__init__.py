"""Any SavedModel as a Keras 3 layer."""

from keras_transformer.hub.build_for_fit import build_for_fit
from keras_transformer.hub.hub_layer import HubLayer

__all__ = ["HubLayer", "build_for_fit"]
