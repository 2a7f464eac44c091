import keras

from keras_transformer.layers import integer_products


@keras.saving.register_keras_serializable(package="keras_transformer")
class ReversibleEmbedding(keras.layers.ReversibleEmbedding):
    """Keras' layer, with `Dense`'s product of integers for the logits."""

    def quantize(self, mode=None, type_check=True, **kwargs):
        # Keras refuses subclasses, which might compute something else.
        return super().quantize(mode, type_check=False, **kwargs)

    def quantized_call(self, inputs, reverse=False, **kwargs):
        if self.quantization_mode != "int8" or not reverse or not integer_products.are_fast():
            return super().quantized_call(inputs, reverse=reverse, **kwargs)
        return integer_products.product(inputs, self._embeddings, self.embeddings_scale, transposed=True)
