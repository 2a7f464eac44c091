from typing import Any

import keras
from keras import ops

from keras_transformer.layers import integer_products


@keras.saving.register_keras_serializable(package="keras_transformer")
class ReversibleEmbedding(keras.layers.ReversibleEmbedding):
    """Keras' layer, with `Dense`'s product of integers for the logits of a tied table."""

    def quantize(self, mode=None, type_check=True, config=None):
        if self.tie_weights:
            config = integer_products.with_exact_weights(config, axis=-1)
        # Keras refuses subclasses, which might compute something else.
        return super().quantize(mode, type_check=type_check and type(self) is not ReversibleEmbedding, config=config)

    def quantized_call(self, inputs, reverse=False, **kwargs: Any):
        is_plain = self.tie_weights and self.logit_soft_cap is None
        if not (reverse and is_plain and integer_products.can_replace(self, self._embeddings)):
            return super().quantized_call(inputs, reverse=reverse, **kwargs)
        logits = integer_products.product(inputs, self._embeddings, self.embeddings_scale, transposed=True)
        return ops.cast(logits, self.compute_dtype)
