from typing import Any

import keras
from keras import ops

from keras_transformer.layers import integer_products


@keras.saving.register_keras_serializable(package="keras_transformer")
class Dense(keras.layers.Dense):
    """Keras' layer, whose integers, once it is quantized, TensorFlow multiplies fast where weights are constants."""

    largest_inputs = None  # (D,) after a calibration
    input_range = None  # of inputs times `input_factors`, once the layer is quantized after one
    input_factors = None

    def call(self, inputs, training=None):
        if integer_products.is_calibrating():
            self.largest_inputs = integer_products.largest_inputs(inputs, self.largest_inputs)
        return super().call(inputs, training=training)

    def quantize(self, mode=None, type_check=True, config=None):
        config = integer_products.with_exact_weights(config, axis=0)
        has_seen = self.largest_inputs is not None and self.largest_inputs.any()
        if mode == "int8" and has_seen and not self.lora_enabled:
            smoothing = integer_products.smoothing(self.largest_inputs, ops.convert_to_numpy(self.kernel))
            self.kernel.assign(self.kernel * smoothing[:, None])
            self.input_factors = 1 / smoothing
            self.input_range = float((self.largest_inputs / smoothing).max())
        # Keras refuses subclasses, which might compute something else.
        return super().quantize(mode, type_check=type_check and type(self) is not Dense, config=config)

    def save_own_variables(self, store):
        if self.input_factors is not None:
            raise ValueError(f"Expected a layer without calibration, which a file cannot hold. Received: {self.path}")
        super().save_own_variables(store)

    def quantized_call(self, inputs, **kwargs: Any):
        if self.input_factors is not None:
            inputs = inputs * ops.cast(self.input_factors, inputs.dtype)
        if not integer_products.can_replace(self, self._kernel):
            return super().quantized_call(inputs, **kwargs)
        weights = self._kernel, self.kernel_scale
        if self.input_range is not None and integer_products.is_fused(self.activation):
            outputs = integer_products.calibrated_product(
                inputs, self.input_range, *weights, self.bias, self.activation
            )
            return ops.cast(outputs, self.compute_dtype)
        outputs = ops.cast(integer_products.product(inputs, *weights), self.compute_dtype)
        outputs = outputs if self.bias is None else ops.add(outputs, self.bias)
        activation = _gelu if self.activation is keras.activations.gelu else self.activation
        return outputs if activation is None else activation(outputs)


def _gelu(x):
    """On TensorFlow in half the time of Keras' own, which calls erfc."""
    return 0.5 * x * (1.0 + ops.erf(x * 0.5**0.5))
