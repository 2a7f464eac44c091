from typing import NamedTuple

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.block import Block
from keras_transformer.layers.multi_head_attention import all_of, with_extras
from keras_transformer.layers.multi_head_cross_attention import MultiHeadCrossAttention
from keras_transformer.layers.multi_head_self_attention import MultiHeadSelfAttention
from keras_transformer.ops import masks
from keras_transformer.ops.kv_cache import CrossAttentionCache, KeyValueCache
from keras_transformer.ops.unpadding import TokenLayout
from keras_transformer.types import Shape, Tensor


class DecoderBlockCache(NamedTuple):
    """What `DecoderBlock` carries from step to step.

    Attributes:
        self_attention: keys and values of the positions so far.
        cross_attention: those of the encoder's outputs, computed once.
    """

    self_attention: KeyValueCache
    cross_attention: CrossAttentionCache


@keras.saving.register_keras_serializable(package="keras_transformer")
class DecoderBlock(Block):
    """Causal self-attention, attention to the encoder's outputs, the feed-forward network; each residual.

    Args:
        num_heads: number of heads H.
        intermediate_dim: width F of the feed-forward network's hidden layer.
        key_dim: width d of one head; by default the width of the inputs over `num_heads`.
        dropout: rate on each sub-layer's outputs.
        attention_dropout: rate on the attention weights. The paper has none.
        activation_dropout: rate inside the feed-forward network. The paper has none.
        activation: of the feed-forward network.
        norm_first: pre-norm instead of the paper's post-norm. A stack of pre-norm blocks needs a layer
            normalisation after the last, which the models add.
        layer_norm_epsilon: added to the variance.
        use_bias: whether projections add a bias.
        kernel_initializer: of all matrices.
        bias_initializer: of all biases.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), floating; with a cache the T new positions only, usually one; unpadded (N, D).
        encoder_outputs: (B, S, E); unpadded (N, E). May be left out with a cache.
        layout: what `Unpad` gave beside unpadded inputs; not with a cache.
        encoder_layout: what `Unpad` gave beside unpadded `encoder_outputs`.
        padding_mask: boolean (B, T), True for real positions; ANDed with Keras' implicit mask. Padding may hold
            anything, NaN and infinity too, here and in `encoder_outputs`. Unpadded inputs have none.
        encoder_padding_mask: boolean (B, S); ANDed with the implicit mask of `encoder_outputs`, or with the mask that
            the cache was made with.
        attention_mask: boolean (T, T), (B, T, T) or (B, H, T, T), ANDed with the causal mask; with a cache its
            last axis is the cache's length L, the new positions included.
        cache: `None`, or what `make_cache` or an earlier call returned.
        cache_index: scalar integer, the position of the first input; needed with a cache of a fixed length.
        return_attention_scores: also return the softmax weights.
        training: whether dropout is active.

    Returns:
        As the inputs, in the compute dtype; then the updated cache if one was given; then, if asked for, the weights of
        self-attention (B, H, T, T or L) and of cross-attention (B, H, T, S), float32.

    Raises:
        ValueError: for bad sizes and rates, heads that do not divide the width, masks of a wrong shape or dtype,
            batches of different sizes, and without both encoder outputs and cache.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", section 3.1 and figure 1, right.

    Example:
        >>> block = keras_transformer.layers.DecoderBlock(num_heads=2, intermediate_dim=16)
        >>> encoder_outputs = np.ones((1, 7, 8))
        >>> block(np.ones((1, 5, 8)), encoder_outputs).shape
        TensorShape([1, 5, 8])
        >>> cache = block.make_cache(encoder_outputs, max_length=5)
        >>> outputs, cache = block(np.ones((1, 1, 8)), cache=cache, cache_index=0)
        >>> outputs.shape
        TensorShape([1, 1, 8])
    """

    def build(self, inputs_shape: Shape, encoder_outputs_shape: Shape | None = None) -> None:
        arguments.known_width(self, inputs_shape, rank=(2, 3))
        self.self_attention = self.make_attention(MultiHeadSelfAttention, "self_attention")
        self.self_attention_add_norm = self.make_add_norm("self_attention_add_norm")
        self.cross_attention = self.make_attention(MultiHeadCrossAttention, "cross_attention")
        self.cross_attention_add_norm = self.make_add_norm("cross_attention_add_norm")
        self.feed_forward = self.make_feed_forward()
        self.feed_forward_add_norm = self.make_add_norm("feed_forward_add_norm")
        self.cross_attention.build(inputs_shape, encoder_outputs_shape or inputs_shape)
        self.cross_attention.padding_is_zero = True  # of its inputs, that is
        for sublayer in (
            self.self_attention,
            self.self_attention_add_norm,
            self.cross_attention_add_norm,
            self.feed_forward,
            self.feed_forward_add_norm,
        ):
            sublayer.build(inputs_shape)
            sublayer.padding_is_zero = True

    def call(
        self,
        inputs: Tensor,
        encoder_outputs: Tensor = None,
        *,
        layout: TokenLayout | None = None,
        encoder_layout: TokenLayout | None = None,
        padding_mask: Tensor = None,
        encoder_padding_mask: Tensor = None,
        attention_mask: Tensor = None,
        cache: DecoderBlockCache | None = None,
        cache_index: Tensor = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        mask: Tensor = None,
        encoder_outputs_mask: Tensor = None,
    ) -> Tensor | tuple:
        layout = self.layout_of(inputs, layout, mask, padding_mask)
        cache = cache and DecoderBlockCache(*cache)  # in a reloaded Functional graph a plain list
        of_context = self._context(
            layout.batch_of(inputs), encoder_outputs, encoder_layout, encoder_outputs_mask, encoder_padding_mask, cache
        )
        x = inputs if cache else layout.zero_padding(inputs)
        attended = self.self_attention(
            self.self_attention_add_norm.normalize_input(x),
            layout=layout,
            attention_mask=attention_mask,
            use_causal_mask=True,
            cache=cache and cache.self_attention,
            cache_index=cache_index,
            return_attention_scores=return_attention_scores,
            training=training,
        )
        attended, *of_self = all_of(attended)
        x = self.self_attention_add_norm(x, attended, training=training)

        attended = self.cross_attention(
            self.cross_attention_add_norm.normalize_input(x),
            layout=layout,
            return_attention_scores=return_attention_scores,
            training=training,
            **of_context,
        )
        attended, *of_cross = all_of(attended)
        x = self.cross_attention_add_norm(x, attended, training=training)

        x = self.run_feed_forward(x, training)
        if cache:
            new_cache, *of_self = of_self
            cache = cache._replace(self_attention=new_cache)
        return with_extras(x, cache, *of_self, *of_cross)

    def _context(self, inputs, encoder_outputs, encoder_layout, mask, padding_mask, cache):
        """The arguments of cross-attention that are about the encoder's outputs."""
        name = "encoder_padding_mask"
        if encoder_outputs is not None:
            encoder_layout = self.layout_of(encoder_outputs, encoder_layout, mask, padding_mask, name)
            arguments.same_batch(self, inputs=inputs, encoder_outputs=encoder_layout.batch_of(encoder_outputs))
            mask = encoder_layout.mask
        elif cache is None:
            raise ValueError("Expected encoder_outputs or cache. Received: encoder_outputs=None, cache=None")
        else:
            mask = masks.resolve(mask, name, padding_mask, (inputs.shape[0], None))
        if cache is not None:
            return {"cache": cache.cross_attention, "context_padding_mask": mask}
        return {"context": encoder_outputs, "context_layout": encoder_layout}

    def make_cache(
        self,
        encoder_outputs: Tensor,
        max_length: Tensor | None = None,
        encoder_layout: TokenLayout | None = None,
        encoder_padding_mask: Tensor = None,
    ) -> DecoderBlockCache:
        """What step-by-step decoding carries along: cross keys and values, computed here and never again.

        Args:
            encoder_outputs: (B, S, E); unpadded (N, E).
            max_length: how many positions will be decoded at most, L. Without, the cache grows with each step, which
                costs less; not for JAX and XLA.
            encoder_layout: what `Unpad` gave beside unpadded encoder outputs.
            encoder_padding_mask: boolean (B, S); ANDed with the implicit mask of `encoder_outputs`. The cache keeps it,
                so that calls with it need not be given one.
        """
        batch = encoder_outputs if encoder_layout is None else encoder_layout.batch_of(encoder_outputs)
        return DecoderBlockCache(
            self.self_attention.make_cache(ops.shape(batch)[0], max_length),
            self.cross_attention.make_cache(encoder_outputs, encoder_layout, encoder_padding_mask),
        )
