from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.base_layer import BaseLayer
from keras_transformer.ops import masks
from keras_transformer.ops.unpadding import TokenLayout
from keras_transformer.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class Repad(BaseLayer):
    """Puts the tokens that `Unpad` took out back into their places.

    Args:
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (N, D), floating.
        layout: what `Unpad` returned beside.

    Returns:
        (B, T, D) in the compute dtype, zeros at padding, with the mask of the batch as its Keras mask.

    Raises:
        ValueError: for inputs of another rank.

    Example:
        >>> x = np.array([[[1.0], [7.0]]])
        >>> mask = np.array([[True, False]])
        >>> np.asarray(keras_transformer.layers.Repad()(*keras_transformer.layers.Unpad()(x, padding_mask=mask)))
        array([[[1.],
                [0.]]], dtype=float32)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.built = True  # a model that unpads on demand has it outside of its graph

    def __call__(self, inputs: Tensor, layout: TokenLayout, **kwargs: Any) -> Tensor:
        layout = TokenLayout(*layout)  # in a reloaded Functional graph a plain tuple
        outputs = super().__call__(inputs, layout, **kwargs)
        masks.attach(outputs, layout.mask)
        return outputs

    def call(self, inputs: Tensor, layout: TokenLayout) -> Tensor:
        arguments.known_width(self, inputs.shape, rank=2)
        padded = layout.repad(inputs)
        return ops.where(layout.mask[..., None], padded, ops.zeros((), padded.dtype))

    def compute_output_shape(self, inputs_shape: Shape, layout_shape: TokenLayout) -> Shape:
        return (*TokenLayout(*layout_shape).mask, inputs_shape[-1])

    def compute_output_spec(self, inputs: Tensor, layout: TokenLayout) -> keras.KerasTensor:
        return keras.KerasTensor((*layout.mask.shape, inputs.shape[-1]), dtype=self.compute_dtype)
