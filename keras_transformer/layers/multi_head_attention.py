"""What self-attention and cross-attention share: constructor arguments, projections, heads."""

from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.composite import CompositeLayer
from keras_transformer.layers.dropout import Dropout
from keras_transformer.layers.initializers import FusedInitializer, clone_initializer
from keras_transformer.ops import masks
from keras_transformer.ops.attention import attention
from keras_transformer.types import Initializer, Tensor


class MultiHeadAttention(CompositeLayer):
    """Base of both attention layers; they document the arguments."""

    def __init__(
        self,
        num_heads: int,
        key_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = arguments.positive_integer("num_heads", num_heads)
        self.key_dim = arguments.optional_positive_integer("key_dim", key_dim)
        self.dropout = arguments.rate("dropout", dropout)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build_attention(self, width: int) -> None:
        """Sets `head_dim` and makes what follows the projections of queries, keys and values."""
        if self.key_dim is None and width % self.num_heads:
            raise ValueError(
                f"Expected num_heads to divide the width {width} of the inputs (or key_dim to be "
                f"given). Received: num_heads={self.num_heads}"
            )
        self.head_dim = self.key_dim or width // self.num_heads
        self.attention_dropout = Dropout(self.dropout, dtype=self.dtype_policy, name="attention_dropout")
        self.output_projection = self.projection(width, "output", self.num_heads * self.head_dim, first_matrix=3)

    def projection(
        self, units: int, name: str, input_width: int, num_parts: int = 1, first_matrix: int = 0
    ) -> keras.layers.Dense:
        """A built `Dense` whose kernel holds `num_parts` matrices, each initialised on its own.

        `first_matrix` numbers the first of them among the four of the layer.
        """
        initializer = clone_initializer(self.kernel_initializer, first_matrix)
        dense = keras.layers.Dense(
            units,
            use_bias=self.use_bias,
            kernel_initializer=FusedInitializer(initializer, num_parts) if num_parts > 1 else initializer,
            bias_initializer=clone_initializer(self.bias_initializer, first_matrix),
            dtype=self.dtype_policy,
            name=name,
        )
        dense.build((None, None, input_width))
        return dense

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor,
        training: bool | None,
        return_scores: bool,
        **options: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """`ops.attention` with this layer's dropout: the context (B, T, H * d), and the weights if asked for."""
        drops = self.dropout and training
        context, scores = attention(
            query,
            key,
            value,
            mask,
            dropout=(lambda weights: self.attention_dropout(weights, training=training)) if drops else None,
            return_scores=return_scores,
            **options,
        )
        return merge_heads(context), scores

    def check_attention_mask(self, mask: Tensor, query: Tensor, keys: int | None) -> Tensor:
        """An explicit attention mask for `keys` keys, of any accepted shape, as a score mask of four axes."""
        batch, heads, length = query.shape[:3]
        shapes = (length, keys), (batch, length, keys), (batch, heads, length, keys)
        return masks.from_attention(masks.check("attention_mask", mask, *shapes))


def project(dense: keras.layers.Dense, inputs: Tensor) -> Tensor:
    """`dense` on (B, T, D), by way of (B * T, D), or on unpadded (N, D): flat, TensorFlow fuses product and bias."""
    if len(inputs.shape) == 2:
        return dense(inputs)
    outputs = dense(ops.reshape(inputs, (-1, inputs.shape[-1])))
    return ops.reshape(outputs, (*ops.shape(inputs)[:-1], outputs.shape[-1]))


def split_heads(projected: Tensor, num_parts: int, num_heads: int) -> list[Tensor]:
    """(B, T, parts * H * d) -> `num_parts` tensors (B, H, T, d), with one transposition, or none where T is 1."""
    batch, length, width = ops.shape(projected)
    if projected.shape[1] == 1:
        shape = batch, num_heads, 1, width // (num_parts * num_heads)
        return [ops.reshape(part, shape) for part in ops.split(projected, num_parts, axis=-1)]
    parts = ops.reshape(projected, (batch, length, num_parts, num_heads, width // (num_parts * num_heads)))
    return ops.unstack(ops.transpose(parts, (2, 0, 3, 1, 4)), num_parts)


def merge_heads(context: Tensor) -> Tensor:
    """(B, H, T, d) -> (B, T, H * d)."""
    batch, heads, length, width = ops.shape(context)
    if context.shape[2] == 1:
        return ops.reshape(context, (batch, 1, heads * width))
    return ops.reshape(ops.transpose(context, (0, 2, 1, 3)), (batch, length, heads * width))


def with_extras(outputs: Tensor, *extras: Tensor) -> Tensor | tuple[Tensor, ...]:
    """`outputs` alone, or a tuple of it and those extras that are not `None`."""
    extras = tuple(extra for extra in extras if extra is not None)
    return (outputs, *extras) if extras else outputs


def all_of(outputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """What `with_extras` returned, as a tuple in any case."""
    return outputs if type(outputs) is tuple else (outputs,)
