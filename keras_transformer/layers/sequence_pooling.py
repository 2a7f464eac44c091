from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.composite import CompositeLayer
from keras_transformer.ops import masks
from keras_transformer.types import Shape, Tensor

MODES = ("sqrtn", "sum", "mean", "max", "first")


@keras.saving.register_keras_serializable(package="keras_transformer")
class SequencePooling(CompositeLayer):
    """One vector for a sequence, of its real positions only, computed in float32.

    Args:
        mode: "sqrtn" (sum / sqrt(length), as in the Universal Sentence Encoder), "sum", "mean", "max", or
            "first" (the first real position, as BERT's classifier token).
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), floating.
        padding_mask: boolean (B, T), True for real positions; ANDed with Keras' implicit mask.

    Returns:
        (B, D) in the compute dtype. A sequence without any real position gives the zero vector.

    Raises:
        ValueError: for an unknown mode and a mask of a wrong shape or dtype.

    References:
        Cer et al., 2018, "Universal Sentence Encoder", section 3.1; "sqrtn" is TensorFlow's word.

    Example:
        >>> layer = keras_transformer.layers.SequencePooling("mean")
        >>> np.asarray(layer(np.array([[[1.0], [3.0], [8.0]]]), padding_mask=np.array([[True, True, False]])))
        array([[2.]], dtype=float32)
    """

    def __init__(self, mode: str = "sqrtn", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mode = arguments.one_of("mode", mode, MODES)

    def build(self, inputs_shape: Shape) -> None:
        arguments.known_width(self, inputs_shape, rank=3)

    def call(self, inputs: Tensor, *, padding_mask: Tensor = None, mask: Tensor = None) -> Tensor:
        mask = masks.resolve(mask, "padding_mask", padding_mask, inputs.shape[:2])
        x = ops.cast(inputs, "float32")
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], dtype="bool")
        return ops.cast(self._pool(x, mask), inputs.dtype)

    def _pool(self, x, mask):
        weights = ops.cast(mask, "float32")[..., None]
        if self.mode == "max":
            # Each maximum is over real positions; without any, or without a position at all, it is zero.
            any_real = ops.any(mask, axis=1)[:, None]
            lowest = -float("inf")
            highest = ops.max(ops.where(mask[..., None], x, lowest), axis=1, initial=lowest)
            return ops.where(any_real, highest, 0.0)
        if self.mode == "first":
            is_first = ops.cumsum(weights, axis=1) * weights == 1.0
            return ops.sum(ops.where(is_first, x, 0.0), axis=1)
        # Not a product: padding may hold anything, infinities too.
        total = ops.sum(ops.where(mask[..., None], x, 0.0), axis=1)
        count = ops.maximum(ops.sum(weights, axis=1), 1.0)
        if self.mode == "sqrtn":
            return total / ops.sqrt(count)
        return total / count if self.mode == "mean" else total

    def compute_output_shape(self, inputs_shape: Shape) -> Shape:
        return (inputs_shape[0], inputs_shape[-1])

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor = None) -> None:
        # The sequence axis is gone, and its mask with it.
        return None
