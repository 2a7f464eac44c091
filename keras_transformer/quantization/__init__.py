"""Smaller and faster numbers for a trained model: int8 matrix multiplication, calibration, casting.

No layer knows of this room. What it changes it changes on single layers, by replacing their methods:

1. `observed_inputs` records the inputs of each `Dense` while representative texts run through the model (calibration).
2. `quantize_int8` quantizes the weights, with what was recorded if anything was.
3. `fused_kernels` replaces Keras' int8 multiplication by oneDNN's while a graph with constant weights is traced.
"""

from keras_transformer.quantization.calibration import observed_inputs
from keras_transformer.quantization.fused_kernels import fused_kernels, keras_kernels
from keras_transformer.quantization.int8 import QuantizesToInt8, quantize_int8

__all__ = ["QuantizesToInt8", "fused_kernels", "keras_kernels", "observed_inputs", "quantize_int8"]
