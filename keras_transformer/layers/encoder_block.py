import keras

from keras_transformer import arguments
from keras_transformer.layers.block import Block
from keras_transformer.layers.multi_head_attention import all_of, with_extras
from keras_transformer.layers.multi_head_self_attention import MultiHeadSelfAttention
from keras_transformer.ops.unpadding import TokenLayout
from keras_transformer.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class EncoderBlock(Block):
    """Self-attention, then the feed-forward network, each in a residual connection.

    With `use_causal_mask` in the call it is the block of a decoder-only language model.

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
        inputs: (B, T, D), floating; unpadded (N, D).
        layout: what `Unpad` gave beside unpadded inputs. The shapes of all masks, biases and scores stay those of the
            batch (B, T).
        padding_mask: boolean (B, T), True for real positions; ANDed with Keras' implicit mask. Padding may
            hold anything, NaN and infinity too. Unpadded inputs have none.
        attention_mask: boolean (T, T), (B, T, T) or (B, H, T, T).
        attention_bias: added to the scaled scores, broadcastable to (B, H, T, T) with four axes; what
            `RelativePositionBias` gives. The paper has none.
        use_causal_mask: whether position t sees only positions up to t.
        return_attention_scores: also return the softmax weights.
        training: whether dropout is active.

    Returns:
        As the inputs, in the compute dtype; with `return_attention_scores` also (B, H, T, T), float32.

    Raises:
        ValueError: for bad sizes and rates, heads that do not divide the width, masks of a wrong shape or dtype.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", section 3.1 and figure 1, left.

    Example:
        >>> block = keras_transformer.layers.EncoderBlock(num_heads=2, intermediate_dim=16)
        >>> tokens = np.random.default_rng(0).normal(size=(2, 5, 8))
        >>> mask = np.array([[True] * 5, [True, True, False, False, False]])
        >>> block(tokens, padding_mask=mask).shape
        TensorShape([2, 5, 8])
    """

    def build(self, inputs_shape: Shape) -> None:
        arguments.known_width(self, inputs_shape, rank=(2, 3))
        self.self_attention = self.make_attention(MultiHeadSelfAttention, "self_attention")
        self.self_attention_add_norm = self.make_add_norm("self_attention_add_norm")
        self.feed_forward = self.make_feed_forward()
        self.feed_forward_add_norm = self.make_add_norm("feed_forward_add_norm")
        for sublayer in (
            self.self_attention,
            self.self_attention_add_norm,
            self.feed_forward,
            self.feed_forward_add_norm,
        ):
            sublayer.build(inputs_shape)
            sublayer.padding_is_zero = True

    def call(
        self,
        inputs: Tensor,
        *,
        layout: TokenLayout | None = None,
        padding_mask: Tensor = None,
        attention_mask: Tensor = None,
        attention_bias: Tensor = None,
        use_causal_mask: bool = False,
        return_attention_scores: bool = False,
        training: bool | None = None,
        mask: Tensor = None,
    ) -> Tensor | tuple:
        layout = self.layout_of(inputs, layout, mask, padding_mask)
        x = layout.zero_padding(inputs)
        attended = self.self_attention(
            self.self_attention_add_norm.normalize_input(x),
            layout=layout,
            attention_mask=attention_mask,
            attention_bias=attention_bias,
            use_causal_mask=use_causal_mask,
            return_attention_scores=return_attention_scores,
            training=training,
        )
        attended, *scores = all_of(attended)
        x = self.self_attention_add_norm(x, attended, training=training)
        return with_extras(self.run_feed_forward(x, training), *scores)
