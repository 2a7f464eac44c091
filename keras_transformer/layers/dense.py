import keras
from keras import ops

from keras_transformer.layers import integer_products


@keras.saving.register_keras_serializable(package="keras_transformer")
class Dense(keras.layers.Dense):
    """Keras' layer, whose integers, once it is quantized, TensorFlow multiplies fast where weights are constants."""

    def quantize(self, mode=None, type_check=True, **kwargs):
        # Keras refuses subclasses, which might compute something else.
        return super().quantize(mode, type_check=type_check and type(self) is not Dense, **kwargs)

    def quantized_call(self, inputs, **kwargs):
        if not integer_products.can_replace(self):
            return super().quantized_call(inputs, **kwargs)
        outputs = ops.cast(integer_products.product(inputs, self._kernel, self.kernel_scale), self.compute_dtype)
        outputs = outputs if self.bias is None else ops.add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)
