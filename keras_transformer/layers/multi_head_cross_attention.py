import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.multi_head_attention import MultiHeadAttention, project, split_heads, with_extras
from keras_transformer.ops import masks
from keras_transformer.ops.kv_cache import CrossAttentionCache
from keras_transformer.ops.unpadding import TokenLayout
from keras_transformer.types import Shape, Tensor


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
        inputs: (B, T, D), the queries' side; unpadded (N, D).
        context: (B, S, E), the keys' side; its width E may differ from D. Unpadded (N, E). May be left out with a
            cache.
        layout: what `Unpad` gave beside unpadded inputs.
        context_layout: what `Unpad` gave beside an unpadded context.
        padding_mask: boolean (B, T) of the inputs. It does not change the result; it is passed on.
        context_padding_mask: boolean (B, S), True for real positions; ANDed with the implicit mask of
            `context`, or with the mask that the cache was made with. Padding may hold anything, NaN and infinity too.
        attention_mask: boolean (T, S), (B, T, S) or (B, H, T, S).
        cache: `None`, or what `make_cache(context)` returned: the keys and values, computed once.
        return_attention_scores: also return the softmax weights.
        training: whether dropout is active.

    Returns:
        As the inputs, in the compute dtype; with `return_attention_scores` also the weights before dropout,
        (B, H, T, S), float32. A position with nothing to attend to gets the output bias.

    Raises:
        ValueError: for heads that do not divide the width, for masks of a wrong shape or dtype, for batches of
            different sizes, and without both context and cache.

    Example:
        >>> layer = keras_transformer.layers.MultiHeadCrossAttention(num_heads=2)
        >>> layer(np.ones((1, 3, 4)), np.ones((1, 5, 6))).shape
        TensorShape([1, 3, 4])

    References:
        Vaswani et al., 2017, "Attention Is All You Need", section 3.2.3.
    """

    def build(self, inputs_shape: Shape, context_shape: Shape | None = None) -> None:
        width = arguments.known_width(self, inputs_shape, rank=(2, 3))
        context_width = arguments.known_width(self, context_shape or inputs_shape, rank=(2, 3))
        self.build_attention(width)
        projected = self.num_heads * self.head_dim
        self.query = self.projection(projected, "query", width)
        self.key_value = self.projection(2 * projected, "key_value", context_width, num_parts=2, first_matrix=1)

    def call(
        self,
        inputs: Tensor,
        context: Tensor = None,
        *,
        layout: TokenLayout | None = None,
        context_layout: TokenLayout | None = None,
        padding_mask: Tensor = None,
        context_padding_mask: Tensor = None,
        attention_mask: Tensor = None,
        cache: CrossAttentionCache | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        mask: Tensor = None,
        context_mask: Tensor = None,
    ) -> Tensor | tuple:
        layout = self.layout_of(inputs, layout, mask, padding_mask)
        projected = layout.repad(project(self.query, self.zero_padding(inputs, layout)))
        (query,) = split_heads(projected, 1, self.num_heads)
        unseen = None
        if cache is None:
            if context is None:
                raise ValueError("Expected context or cache. Received: context=None, cache=None")
            context_layout = self.layout_of(
                context, context_layout, context_mask, context_padding_mask, "context_padding_mask"
            )
            arguments.same_batch(self, inputs=query, context=context_layout.batch_of(context))
            cache = self._cache(context, context_layout)
        else:
            cache = CrossAttentionCache(*cache)  # in a reloaded Functional graph a plain list
            arguments.same_batch(self, inputs=query, cache=cache.key)
            # It is not known that this padding was zero when the cache was made.
            shape = query.shape[0], cache.key.shape[2]
            unseen = masks.resolve(context_mask, "context_padding_mask", context_padding_mask, shape)
        unseen = masks.combine(
            masks.from_padding(unseen), self.check_attention_mask(attention_mask, query, cache.key.shape[2])
        )
        attended, scores = self.attend(
            query,
            masks.zero_unseen(cache.key, unseen),
            masks.zero_unseen(cache.value, unseen),
            masks.combine(masks.from_padding(cache.mask), unseen),
            training,
            return_attention_scores,
        )
        return with_extras(project(self.output_projection, layout.unpad(attended)), scores)

    def make_cache(
        self, context: Tensor, context_layout: TokenLayout | None = None, context_padding_mask: Tensor = None
    ) -> CrossAttentionCache:
        """The keys and values of a context, computed once for many calls.

        Args:
            context: (B, S, E); unpadded (N, E).
            context_layout: what `Unpad` gave beside an unpadded context.
            context_padding_mask: boolean (B, S); ANDed with the implicit mask of `context`.

        Returns:
            An `ops.CrossAttentionCache`, whose mask calls with the cache need not be given.
        """
        mask = masks.implicit_mask(context)
        layout = self.layout_of(context, context_layout, mask, context_padding_mask, "context_padding_mask")
        cache = self._cache(context, layout)
        # A tensor in any case, so that loops can carry the cache.
        return cache if layout.mask is not None else cache._replace(mask=ops.ones(ops.shape(context)[:2], "bool"))

    def _cache(self, context, layout):
        projected = layout.repad(project(self.key_value, layout.zero_padding(context)))
        return CrossAttentionCache(*split_heads(projected, 2, self.num_heads), layout.mask)
