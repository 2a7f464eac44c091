"""The contract that every layer of this library keeps, for layers of your own too."""

from keras_transformer.testing.layer_case import LayerCase
from keras_transformer.testing.layer_contract import check_layer

__all__ = ["LayerCase", "check_layer"]
