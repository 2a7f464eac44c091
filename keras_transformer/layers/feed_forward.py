from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.composite import CompositeLayer
from keras_transformer.layers.dropout import Dropout
from keras_transformer.layers.initializers import clone_initializer
from keras_transformer.types import Activation, Initializer, Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class FeedForward(CompositeLayer):
    """The position-wise network: activation(x W1 + b1) W2 + b2.

    Args:
        intermediate_dim: width F of the hidden layer, the paper's d_ff.
        activation: name or function; ReLU in the paper.
        dropout: rate on the activations. The paper has none here.
        use_bias: whether both projections add a bias.
        kernel_initializer: of both matrices.
        bias_initializer: of both biases.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), floating; unpadded (N, D).
        padding_mask: boolean (B, T). It is passed on, as the implicit mask is. Padding may hold anything, NaN and
            infinity too.
        training: whether dropout is active.

    Returns:
        As the inputs, in the compute dtype.

    Raises:
        ValueError: for a width below 1 and a rate outside [0, 1).

    References:
        Vaswani et al., 2017, "Attention Is All You Need", section 3.3.

    Example:
        >>> layer = keras_transformer.layers.FeedForward(intermediate_dim=16)
        >>> layer(np.ones((2, 3, 4))).shape
        TensorShape([2, 3, 4])
    """

    is_renamed_inside = True

    def __init__(
        self,
        intermediate_dim: int,
        activation: Activation = "relu",
        dropout: float = 0.0,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.intermediate_dim = arguments.positive_integer("intermediate_dim", intermediate_dim)
        self.activation = keras.activations.get(activation)
        self.dropout = arguments.rate("dropout", dropout)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, inputs_shape: Shape) -> None:
        width = arguments.known_width(self, inputs_shape, rank=(2, 3))
        self.intermediate_dense = self._dense(0, self.intermediate_dim, "intermediate_dense", self.activation)
        self.activation_dropout = Dropout(self.dropout, dtype=self.dtype_policy, name="activation_dropout")
        self.output_dense = self._dense(1, width, "output_dense")
        self.intermediate_dense.build((None, None, width))
        self.output_dense.build((None, None, self.intermediate_dim))

    def _dense(self, index, units, name, activation=None):
        return keras.layers.Dense(
            units,
            activation=activation,
            use_bias=self.use_bias,
            kernel_initializer=clone_initializer(self.kernel_initializer, index),
            bias_initializer=clone_initializer(self.bias_initializer, index),
            dtype=self.dtype_policy,
            name=name,
        )

    def call(
        self, inputs: Tensor, *, padding_mask: Tensor = None, training: bool | None = None, mask: Tensor = None
    ) -> Tensor:
        inputs = self.zero_padding(inputs, self.layout_of(inputs, None, mask, padding_mask))
        # Flat, TensorFlow fuses product, bias and activation.
        tokens = ops.reshape(inputs, (-1, inputs.shape[-1]))
        hidden = self.activation_dropout(self.intermediate_dense(tokens), training=training)
        return ops.reshape(self.output_dense(hidden), ops.shape(inputs))
