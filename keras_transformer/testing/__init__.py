"""The contract that the layers keep, for the layers of others too."""

from keras_transformer.testing.layer_contract import LayerCase, check_layer

__all__ = ["LayerCase", "check_layer"]
