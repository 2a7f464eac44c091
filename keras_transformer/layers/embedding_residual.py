from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.composite import CompositeLayer
from keras_transformer.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class EmbeddingResidual(CompositeLayer):
    """Adds the embeddings of tokens, times one learned number, to what a stack of blocks made of them.

    Args:
        initial_scale: what the number is at first.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), floating, what the blocks gave.
        embeddings: (B, T, D).

    Returns:
        (B, T, D) in the compute dtype, with the Keras mask of `inputs`.

    Raises:
        ValueError: for a scale of 0 or less, and for inputs and embeddings of different shapes.

    Example:
        >>> layer = keras_transformer.layers.EmbeddingResidual(initial_scale=2.0)
        >>> np.asarray(layer(np.ones((1, 1, 2)), np.ones((1, 1, 2))))
        array([[[3., 3.]]], dtype=float32)
    """

    def __init__(self, initial_scale: float = 4.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial_scale = arguments.positive_number("initial_scale", initial_scale)

    def build(self, inputs_shape: Shape, embeddings_shape: Shape | None = None) -> None:
        initializer = keras.initializers.Constant(self.initial_scale)
        self.scale = self.add_weight(shape=(), initializer=initializer, name="scale")

    def call(self, inputs: Tensor, embeddings: Tensor, mask: Tensor = None) -> Tensor:
        arguments.same_shape(self, inputs=inputs.shape, embeddings=embeddings.shape)
        scale = ops.cast(self.scale, embeddings.dtype)
        if mask is not None:
            # What padding holds would reach the gradient.
            scale = ops.where(mask, scale, 0)[..., None]
        return inputs + embeddings * scale
