import keras

from keras_transformer import arguments
from keras_transformer.layers import masks
from keras_transformer.layers.multi_head_attention import (
    MultiHeadAttention,
    project,
    split_heads,
    with_extras,
)
from keras_transformer.layers.packing import spread


@keras.saving.register_keras_serializable(package="keras_transformer")
class MultiHeadCrossAttention(MultiHeadAttention):
    """Multi-head attention of one sequence to another, as of the decoder to the encoder's outputs.

    Args:
        num_heads: number of heads H.
        key_dim: width d of one head; by default the width of the inputs over `num_heads`.
        dropout: rate on the attention weights. The paper has none here.
        use_bias: whether the projections add a bias. The paper's formula has none, its published code does.
        kernel_initializer: of each of the four matrices. The fused key/value one is initialised as two.
        bias_initializer: of the biases.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), the queries' side; with `packing`, (N, D).
        context: (B, S, E), the keys' side; its width E may differ from D. With `context_packing`, (N, E). May be left
            out with a cache.
        packing: what `Pack` gave beside the inputs, if they are packed.
        context_packing: what `Pack` gave beside the context, if that is packed.
        padding_mask: boolean (B, T) of the inputs. It does not change the result; it is passed on.
        context_padding_mask: boolean (B, S), True for real positions; ANDed with the implicit mask of
            `context`.
        attention_mask: boolean (T, S), (B, T, S) or (B, H, T, S).
        cache: `None`, or what `make_cache(context)` returned: the keys and values, computed once.
        return_attention_scores: also return the softmax weights.
        training: whether dropout is active.

    Returns:
        As the inputs, in the compute dtype; with `return_attention_scores` also the weights before dropout,
        (B, H, T, S), float32. A position with nothing to attend to gets the output bias.

    Raises:
        ValueError: for heads that do not divide the width, for masks of a wrong shape or dtype, and without
            both context and cache.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", section 3.2.3.
    """

    def build(self, inputs_shape, context_shape=None):
        width = arguments.known_width(self, inputs_shape, rank=(2, 3))
        context_width = arguments.known_width(self, context_shape or inputs_shape, rank=(2, 3))
        self.build_attention(width)
        projected = self.num_heads * self.head_dim
        self.query = self.projection(projected, "query", width)
        self.key_value = self.projection(2 * projected, "key_value", context_width, num_parts=2, first_matrix=1)

    def call(
        self,
        inputs,
        context=None,
        *,
        packing=None,
        context_packing=None,
        padding_mask=None,
        context_padding_mask=None,
        attention_mask=None,
        cache=None,
        return_attention_scores=False,
        training=None,
        mask=None,
        context_mask=None,
    ):
        if cache is None:
            if context is None:
                raise ValueError("Expected context or cache. Received: context=None, cache=None")
            cache = self.make_cache(context, context_packing)
            context_mask = masks.combine(context_mask, context_packing and context_packing["mask"])
        projected = project(self.query, inputs)
        if packing is not None:
            projected = spread(projected, packing)
        masks.resolve(mask, "padding_mask", padding_mask, projected.shape[:2])
        (query,) = split_heads(projected, 1, self.num_heads)
        shape = query.shape[0], cache["key"].shape[2]
        context_mask = masks.resolve(context_mask, "context_padding_mask", context_padding_mask, shape)
        score_mask = masks.combine(
            masks.from_padding(context_mask),
            self.check_attention_mask(attention_mask, query, cache["key"]),
        )
        outputs, weights = self.attend(
            query,
            cache["key"],
            cache["value"],
            score_mask,
            training,
            packing=packing,
            return_attention_scores=return_attention_scores,
        )
        return with_extras(outputs, weights)

    def make_cache(self, context, context_packing=None):
        """The keys and values of `context` (B, S, E), or packed (N, E): {"key", "value"}, each (B, H, S, d)."""
        projected = project(self.key_value, context)
        if context_packing is not None:
            projected = spread(projected, context_packing)
        key, value = split_heads(projected, 2, self.num_heads)
        return {"key": key, "value": value}
