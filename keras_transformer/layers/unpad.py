from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.composite import CompositeLayer
from keras_transformer.ops import masks
from keras_transformer.ops.unpadding import TokenLayout
from keras_transformer.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class Unpad(CompositeLayer):
    """Takes the padding out of a batch, so that the layers behind pay for real tokens only.

        x, layout = Unpad()(x)                       # (B, T, D) -> (N, D)
        for block in blocks:
            x = block(x, layout=layout)
        x = Repad()(x, layout)                       # (N, D) -> (B, T, D)

    Between the two may stand `EncoderBlock`, `FeedForward`, and whatever works on each position alone. N depends on the
    data (a dynamic shape): not for JAX and XLA.

    Args:
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), floating.
        padding_mask: boolean (B, T), True for real positions, wherever they are; ANDed with Keras' implicit mask.

    Returns:
        (N, D), the N real tokens of the batch in order, without a Keras mask; and their `ops.TokenLayout`.

    Raises:
        ValueError: for inputs of another rank, and a mask of a wrong shape or dtype.

    Example:
        >>> x = np.array([[[1.0], [2.0]], [[3.0], [0.0]]])
        >>> tokens, layout = keras_transformer.layers.Unpad()(x, padding_mask=x[..., 0] > 0)
        >>> np.ravel(tokens)
        array([1., 2., 3.], dtype=float32)
        >>> keras_transformer.layers.Repad()(tokens, layout).shape
        TensorShape([2, 2, 1])
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.built = True  # a model that unpads on demand has it outside of its graph

    def call(self, inputs: Tensor, *, padding_mask: Tensor = None, mask: Tensor = None) -> tuple[Tensor, TokenLayout]:
        arguments.known_width(self, inputs.shape, rank=3)
        mask = masks.resolve(mask, "padding_mask", padding_mask, inputs.shape[:2])
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], dtype="bool")
        layout = TokenLayout.unpadded(mask)
        # Without any real token the first position stands for one.
        return ops.where(ops.any(mask), layout.unpad(inputs), 0), layout

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor = None) -> None:
        # What is unpadded is real.
        return None

    def compute_output_shape(self, inputs_shape: Shape) -> tuple[Shape, TokenLayout]:
        batch = tuple(inputs_shape[:2])
        return (None, inputs_shape[-1]), TokenLayout(mask=batch, places=(None,), rows=batch)

    def compute_output_spec(
        self, inputs: Tensor, *, padding_mask: Tensor = None, mask: Tensor = None
    ) -> tuple[keras.KerasTensor, TokenLayout]:
        # Not by running `call`: JAX cannot trace what has as many rows as there are tokens.
        arguments.known_width(self, inputs.shape, rank=3)
        masks.resolve(mask, "padding_mask", padding_mask, inputs.shape[:2])
        tokens, shapes = self.compute_output_shape(inputs.shape)
        dtypes = TokenLayout(mask="bool", places="int32", rows="int32")
        layout = TokenLayout(*(keras.KerasTensor(shape, dtype=dtype) for shape, dtype in zip(shapes, dtypes)))
        return keras.KerasTensor(tokens, dtype=self.compute_dtype), layout
