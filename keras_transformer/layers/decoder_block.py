import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import masks
from keras_transformer.layers.block import Block
from keras_transformer.layers.multi_head_attention import all_of, with_extras
from keras_transformer.layers.multi_head_cross_attention import MultiHeadCrossAttention
from keras_transformer.layers.multi_head_self_attention import MultiHeadSelfAttention


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
        inputs: (B, T, D), floating; with a cache the T new positions only, usually one; with `packing`, (N, D).
        encoder_outputs: (B, S, E); with `encoder_packing`, (N, E). May be left out with a cache.
        packing: what `Pack` gave beside the inputs, if they are packed; not with a cache.
        encoder_packing: likewise of `encoder_outputs`.
        padding_mask: boolean (B, T), True for real positions; ANDed with Keras' implicit mask. Padding may hold
            anything, NaN and infinity too, here and in `encoder_outputs`.
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
    """

    def build(self, inputs_shape, encoder_outputs_shape=None):
        arguments.known_width(self, inputs_shape, rank=(2, 3))
        self.self_attention = self.make_attention(MultiHeadSelfAttention, "self_attention")
        self.self_attention_residual = self.make_residual("self_attention_residual")
        self.cross_attention = self.make_attention(MultiHeadCrossAttention, "cross_attention")
        self.cross_attention_residual = self.make_residual("cross_attention_residual")
        self.feed_forward = self.make_feed_forward()
        self.feed_forward_residual = self.make_residual("feed_forward_residual")
        self.cross_attention.build(inputs_shape, encoder_outputs_shape or inputs_shape)
        self.cross_attention.padding_is_zero = True  # of its inputs, that is
        for sublayer in (
            self.self_attention,
            self.self_attention_residual,
            self.cross_attention_residual,
            self.feed_forward,
            self.feed_forward_residual,
        ):
            sublayer.build(inputs_shape)
            sublayer.padding_is_zero = True

    def call(
        self,
        inputs,
        encoder_outputs=None,
        *,
        packing=None,
        encoder_packing=None,
        padding_mask=None,
        encoder_padding_mask=None,
        attention_mask=None,
        cache=None,
        cache_index=None,
        return_attention_scores=False,
        training=None,
        mask=None,
        encoder_outputs_mask=None,
    ):
        if encoder_outputs is None and cache is None:
            raise ValueError("Expected encoder_outputs or cache. Received: encoder_outputs=None, cache=None")
        of_inputs = inputs if packing is None else packing["mask"]
        of_outputs = encoder_outputs if encoder_packing is None else encoder_packing["mask"]
        if of_outputs is not None:
            arguments.same_batch(self, inputs=of_inputs, encoder_outputs=of_outputs)
        encoder_outputs_mask = masks.resolve(
            encoder_outputs_mask,
            "encoder_padding_mask",
            encoder_padding_mask,
            (of_inputs.shape[0], None if of_outputs is None else of_outputs.shape[1]),
        )
        if packing is None and cache is None:
            mask, padding_mask = masks.resolve(mask, "padding_mask", padding_mask, inputs.shape[:2]), None
            inputs = masks.zero_padding(inputs, mask)
        x = inputs
        attended = self.self_attention(
            self.self_attention_residual.prepare(x),
            mask=mask,
            packing=packing,
            padding_mask=padding_mask,
            attention_mask=attention_mask,
            use_causal_mask=True,
            cache=cache and cache["self"],
            cache_index=cache_index,
            return_attention_scores=return_attention_scores,
            training=training,
        )
        attended, *of_self = all_of(attended)
        x = self.self_attention_residual(x, attended, training=training)

        attended = self.cross_attention(
            self.cross_attention_residual.prepare(x),
            None if cache else encoder_outputs,
            packing=packing,
            context_packing=encoder_packing,
            context_mask=encoder_outputs_mask,
            cache=cache and cache["cross"],
            return_attention_scores=return_attention_scores,
            training=training,
        )
        attended, *cross_scores = all_of(attended)
        x = self.cross_attention_residual(x, attended, training=training)

        hidden = self.feed_forward(self.feed_forward_residual.prepare(x), training=training)
        x = self.feed_forward_residual(x, hidden, training=training)

        if cache:
            new_cache, *of_self = of_self
            cache = {"self": new_cache, "cross": cache["cross"]}
        return with_extras(x, cache, *of_self, *cross_scores)

    def make_cache(self, encoder_outputs, max_length=None, encoder_packing=None, encoder_padding_mask=None):
        """What step-by-step decoding carries along: cross keys and values, computed here and never again.

        Args:
            encoder_outputs: (B, S, E); with `encoder_packing`, (N, E).
            max_length: how many positions will be decoded at most, L. Without, the cache grows with each step, which
                costs less; not for JAX and XLA.
            encoder_packing: what `Pack` gave beside the encoder's outputs, if they are packed.
            encoder_padding_mask: boolean (B, S); ANDed with the implicit mask of `encoder_outputs`. The cache keeps it,
                so that calls with it need not be given one.

        Returns:
            {"self": of `MultiHeadSelfAttention.make_cache`, "cross": of `MultiHeadCrossAttention.make_cache`}.
        """
        batch = encoder_outputs if encoder_packing is None else encoder_packing["mask"]
        return {
            "self": self.self_attention.make_cache(ops.shape(batch)[0], max_length),
            "cross": self.cross_attention.make_cache(encoder_outputs, encoder_packing, encoder_padding_mask),
        }
