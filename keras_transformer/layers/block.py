"""What the encoder block and the decoder block share: constructor arguments and the making of sub-layers."""

from typing import Any

import keras

from keras_transformer import arguments
from keras_transformer.layers.add_norm import AddNorm
from keras_transformer.layers.composite import CompositeLayer
from keras_transformer.layers.feed_forward import FeedForward
from keras_transformer.layers.multi_head_attention import MultiHeadAttention
from keras_transformer.types import Activation, Initializer, Tensor


class Block(CompositeLayer):
    """Base of both blocks; they document the arguments."""

    is_renamed_inside = True

    def __init__(
        self,
        num_heads: int,
        intermediate_dim: int,
        key_dim: int | None = None,
        dropout: float = 0.1,
        attention_dropout: float = 0.0,
        activation_dropout: float = 0.0,
        activation: Activation = "relu",
        norm_first: bool = False,
        layer_norm_epsilon: float = 1e-6,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = arguments.positive_integer("num_heads", num_heads)
        self.intermediate_dim = arguments.positive_integer("intermediate_dim", intermediate_dim)
        self.key_dim = arguments.optional_positive_integer("key_dim", key_dim)
        self.dropout = arguments.rate("dropout", dropout)
        self.attention_dropout = arguments.rate("attention_dropout", attention_dropout)
        self.activation_dropout = arguments.rate("activation_dropout", activation_dropout)
        self.activation = keras.activations.get(activation)
        self.norm_first = norm_first
        self.layer_norm_epsilon = arguments.positive_number("layer_norm_epsilon", layer_norm_epsilon)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def make_attention(self, attention_class: type[MultiHeadAttention], name: str) -> MultiHeadAttention:
        return attention_class(
            self.num_heads,
            key_dim=self.key_dim,
            dropout=self.attention_dropout,
            name=name,
            **self._weight_arguments(),
        )

    def make_feed_forward(self) -> FeedForward:
        return FeedForward(
            self.intermediate_dim,
            activation=self.activation,
            dropout=self.activation_dropout,
            name="feed_forward",
            **self._weight_arguments(),
        )

    def make_add_norm(self, name: str) -> AddNorm:
        return AddNorm(
            self.dropout,
            norm_first=self.norm_first,
            layer_norm_epsilon=self.layer_norm_epsilon,
            dtype=self.dtype_policy,
            name=name,
        )

    def run_feed_forward(self, x: Tensor, training: bool | None) -> Tensor:
        """(B, T, D), or unpadded (N, D), through the feed-forward network and what is around it."""
        hidden = self.feed_forward(self.feed_forward_add_norm.normalize_input(x), training=training)
        return self.feed_forward_add_norm(x, hidden, training=training)

    def _weight_arguments(self):
        return {
            "use_bias": self.use_bias,
            "kernel_initializer": self.kernel_initializer,
            "bias_initializer": self.bias_initializer,
            "dtype": self.dtype_policy,
        }
