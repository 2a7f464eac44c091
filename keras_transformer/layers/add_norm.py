from typing import Any

import keras

from keras_transformer import arguments
from keras_transformer.layers.composite import CompositeLayer
from keras_transformer.layers.dropout import Dropout
from keras_transformer.ops import masks
from keras_transformer.ops.unpadding import TokenLayout
from keras_transformer.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class AddNorm(CompositeLayer):
    """The residual connection around a sub-layer, with its dropout and layer normalisation.

    Post-norm (the paper):  y = norm(x + dropout(sublayer(x)))
    Pre-norm:               y = x + dropout(sublayer(norm(x)))

    Both read `y = add_norm(x, sublayer(add_norm.normalize_input(x)))`.

    Args:
        dropout: rate on the sub-layer's outputs, the paper's P_drop.
        norm_first: pre-norm instead of the paper's post-norm.
        layer_norm_epsilon: added to the variance.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), what goes around the sub-layer. Padding may hold anything, NaN and infinity too.
        outputs: (B, T, D), what comes out of it.
        training: whether dropout is active.

    Returns:
        (B, T, D) in the compute dtype.

    Raises:
        ValueError: for a rate outside [0, 1), an epsilon of 0 or less, and for inputs and outputs of different shapes.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", sections 3.1 and 5.4; pre-norm: Xiong et al., 2020,
        "On Layer Normalization in the Transformer Architecture".

    Example:
        >>> add_norm = keras_transformer.layers.AddNorm(dropout=0.0)
        >>> x = np.array([[[1.0, 3.0]]])
        >>> np.round(add_norm(x, x), 3)  # (2, 6), normalised
        array([[[-1.,  1.]]], dtype=float32)
    """

    def __init__(
        self, dropout: float = 0.1, norm_first: bool = False, layer_norm_epsilon: float = 1e-6, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dropout = arguments.rate("dropout", dropout)
        self.norm_first = norm_first
        self.layer_norm_epsilon = arguments.positive_number("layer_norm_epsilon", layer_norm_epsilon)

    def build(self, inputs_shape: Shape) -> None:
        self.norm = keras.layers.LayerNormalization(
            epsilon=self.layer_norm_epsilon, dtype=self.dtype_policy, name="norm"
        )
        self.norm.build(tuple(inputs_shape))
        self.output_dropout = Dropout(self.dropout, dtype=self.dtype_policy, name="output_dropout")

    def normalize_input(self, inputs: Tensor) -> Tensor:
        """What the sub-layer takes: `norm(inputs)` under pre-norm, else `inputs`."""
        if not self.norm_first:
            return inputs
        return self.norm(self.zero_padding(inputs, TokenLayout(masks.implicit_mask(inputs))))

    def call(self, inputs: Tensor, outputs: Tensor, training: bool | None = None, mask: Tensor = None) -> Tensor:
        arguments.same_shape(self, inputs=inputs.shape, outputs=outputs.shape)
        layout = TokenLayout(mask)
        inputs, outputs = self.zero_padding(inputs, layout), self.zero_padding(outputs, layout)
        summed = inputs + self.output_dropout(outputs, training=training)
        return summed if self.norm_first else self.norm(summed)
