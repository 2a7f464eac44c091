"""What self-attention and cross-attention share: constructor arguments, projections, heads."""

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import masks
from keras_transformer.layers.attention import attend
from keras_transformer.layers.attention_weights import scaled, softmax_weights, weighted_values
from keras_transformer.layers.composite import CompositeLayer
from keras_transformer.layers.dropout import Dropout
from keras_transformer.layers.initializers import FusedInitializer, copy_of
from keras_transformer.layers.packing import pack


class MultiHeadAttention(CompositeLayer):
    """Base of both attention layers; they document the arguments."""

    def __init__(
        self,
        num_heads,
        key_dim=None,
        dropout=0.0,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads = arguments.positive_integer("num_heads", num_heads)
        self.key_dim = arguments.optional_positive_integer("key_dim", key_dim)
        self.dropout = arguments.rate("dropout", dropout)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build_attention(self, width):
        """Settles `head_dim` and makes what follows the projections of queries, keys and values."""
        if self.key_dim is None and width % self.num_heads:
            raise ValueError(
                f"Expected num_heads to divide the width {width} of the inputs (or key_dim to be "
                f"given). Received: num_heads={self.num_heads}"
            )
        self.head_dim = self.key_dim or width // self.num_heads
        self.attention_dropout = Dropout(self.dropout, dtype=self.dtype_policy, name="attention_dropout")
        self.output_projection = self.projection(width, "output", self.num_heads * self.head_dim, first_matrix=3)

    def projection(self, units, name, input_width, num_parts=1, first_matrix=0):
        """A built `Dense` whose kernel holds `num_parts` matrices, each initialised on its own.

        `first_matrix` numbers the first of them among the four of the layer.
        """
        initializer = copy_of(self.kernel_initializer, first_matrix)
        dense = keras.layers.Dense(
            units,
            use_bias=self.use_bias,
            kernel_initializer=FusedInitializer(initializer, num_parts) if num_parts > 1 else initializer,
            bias_initializer=copy_of(self.bias_initializer, first_matrix),
            dtype=self.dtype_policy,
            name=name,
        )
        dense.build((None, None, input_width))
        return dense

    def attend(
        self,
        query,
        key,
        value,
        score_mask,
        training,
        bias=None,
        causal=False,
        packing=None,
        return_attention_scores=False,
    ):
        """Heads-first attention, then the output projection, with a `packing` of the queries of real tokens only.

        Returns:
            (B, T, D), or packed (N, D); and the weights before dropout, (B, H, T, S) in float32, or `None` if not asked
            for.
        """
        weights = None
        if return_attention_scores or (self.dropout and training):
            score_mask = masks.with_causal(score_mask, query, key) if causal else score_mask
            weights = softmax_weights(scaled(query), key, score_mask, bias)
            context = weighted_values(self.attention_dropout(weights, training=training), value)
            context = masks.zero_without_keys(context, score_mask)
            weights = masks.zero_without_keys(weights, score_mask) if return_attention_scores else None
        else:
            context = attend(query, key, value, score_mask, bias, causal)
        context = merge_heads(context)
        return project(self.output_projection, context if packing is None else pack(context, packing)), weights

    def check_attention_mask(self, mask, query, keys):
        """An explicit attention mask for `keys` keys, of any accepted shape, as a score mask of four axes."""
        batch, heads, length = query.shape[:3]
        shapes = (length, keys), (batch, length, keys), (batch, heads, length, keys)
        return masks.from_attention(masks.check("attention_mask", mask, *shapes))

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


def project(dense, inputs):
    """`dense` on (B, T, D), by way of (B * T, D), or on packed (N, D): flat, TensorFlow fuses product and bias."""
    if len(inputs.shape) == 2:
        return dense(inputs)
    outputs = dense(ops.reshape(inputs, (-1, inputs.shape[-1])))
    return ops.reshape(outputs, (*ops.shape(inputs)[:-1], outputs.shape[-1]))


def split_heads(projected, num_parts, num_heads):
    """(B, T, parts * H * d) -> `num_parts` tensors (B, H, T, d), with one transposition, or none where T is 1."""
    batch, length, width = ops.shape(projected)
    if projected.shape[1] == 1:
        shape = batch, num_heads, 1, width // (num_parts * num_heads)
        return [ops.reshape(part, shape) for part in ops.split(projected, num_parts, axis=-1)]
    parts = ops.reshape(projected, (batch, length, num_parts, num_heads, width // (num_parts * num_heads)))
    return ops.unstack(ops.transpose(parts, (2, 0, 3, 1, 4)), num_parts)


def merge_heads(context):
    """(B, H, T, d) -> (B, T, H * d)."""
    batch, heads, length, width = ops.shape(context)
    if context.shape[2] == 1:
        return ops.reshape(context, (batch, 1, heads * width))
    return ops.reshape(ops.transpose(context, (0, 2, 1, 3)), (batch, length, heads * width))


def with_extras(outputs, *extras):
    """`outputs` alone, or a tuple of it and those extras that are not `None`."""
    extras = tuple(extra for extra in extras if extra is not None)
    return (outputs, *extras) if extras else outputs


def all_of(outputs):
    """What `with_extras` returned, as a tuple in any case."""
    return outputs if isinstance(outputs, tuple) else (outputs,)
