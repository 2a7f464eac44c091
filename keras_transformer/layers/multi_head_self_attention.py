import keras

from keras_transformer import arguments
from keras_transformer.layers.multi_head_attention import MultiHeadAttention, project, split_heads, with_extras
from keras_transformer.ops import masks
from keras_transformer.ops.kv_cache import KeyValueCache, as_cache, empty_cache
from keras_transformer.ops.unpadding import TokenLayout
from keras_transformer.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class MultiHeadSelfAttention(MultiHeadAttention):
    """Multi-head attention of a sequence to itself, with one fused query/key/value projection.

    Of long sequences (4096 positions and more, their number known when the graph is made) it takes memory linear in the
    length, unless a bias, a cache, the weights or dropout on them is asked for.

    Args:
        num_heads: number of heads H.
        key_dim: width d of one head; by default the width of the inputs over `num_heads`.
        dropout: rate on the attention weights. The paper has none here.
        use_bias: whether the projections add a bias. The paper's formula has none, its published code does.
        kernel_initializer: of each of the four matrices. The fused one is initialised as three.
        bias_initializer: of the biases.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), floating; unpadded (N, D).
        layout: what `Unpad` gave beside unpadded inputs. The shapes of all masks, biases and scores stay those of the
            batch (B, T).
        padding_mask: boolean (B, T), True for real positions; ANDed with Keras' implicit mask. Padding may
            hold anything, NaN and infinity too. Unpadded inputs have none.
        attention_mask: boolean (T, T), (B, T, T) or (B, H, T, T); with a cache the last axis is its length L,
            the new positions included.
        attention_bias: added to the scaled scores, broadcastable to (B, H, T, T) with four axes. The paper has none.
        use_causal_mask: whether position t sees only positions up to t.
        cache: `None`, or what `make_cache` or an earlier call returned: the T new positions are written at
            `cache_index`, or behind the others if it grows, and attend to what stands up to their own place. Padding
            masks do not apply to it.
        cache_index: scalar integer, the position of the first input; needed with a cache of a fixed length. One that is
            known only when the graph runs must leave room for the inputs: it is not checked.
        return_attention_scores: also return the softmax weights.
        training: whether dropout is active.

    Returns:
        As the inputs, in the compute dtype; then the updated cache if one was given; then, if asked for, the
        weights before dropout, (B, H, T, T) or (B, H, T, L), float32. A position with nothing to attend to
        gets the output bias.

    Raises:
        ValueError: for heads that do not divide the width, for masks of a wrong shape or dtype, and for a cache of
            unpadded inputs or of another batch size.

    Example:
        >>> layer = keras_transformer.layers.MultiHeadSelfAttention(num_heads=2)
        >>> outputs, weights = layer(np.ones((1, 3, 4)), return_attention_scores=True)
        >>> outputs.shape, np.asarray(weights[0, 0, 0])  # three equal keys
        (TensorShape([1, 3, 4]), array([0.333..., 0.333..., 0.333...], dtype=float32))

    References:
        Vaswani et al., 2017, "Attention Is All You Need", section 3.2.2.
    """

    def build(self, inputs_shape: Shape) -> None:
        width = arguments.known_width(self, inputs_shape, rank=(2, 3))
        self.build_attention(width)
        self.query_key_value = self.projection(
            3 * self.num_heads * self.head_dim, "query_key_value", width, num_parts=3
        )

    def call(
        self,
        inputs: Tensor,
        *,
        layout: TokenLayout | None = None,
        padding_mask: Tensor = None,
        attention_mask: Tensor = None,
        attention_bias: Tensor = None,
        use_causal_mask: bool = False,
        cache: KeyValueCache | None = None,
        cache_index: Tensor = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        mask: Tensor = None,
    ) -> Tensor | tuple:
        layout, cache = self.layout_of(inputs, layout, mask, padding_mask), as_cache(cache, cache_index)
        arguments.known_width(self, inputs.shape, rank=3 if layout.is_padded else 2)
        if cache is None:
            inputs = self.zero_padding(inputs, layout)
        elif not layout.is_padded:
            raise ValueError("Expected padded inputs with a cache. Received: unpadded ones, with a layout")
        projected = layout.repad(project(self.query_key_value, inputs))
        query, key, value = split_heads(projected, 3, self.num_heads)
        num_keys = key.shape[2] if cache is None else cache.length_with(key)
        attention_mask = self.check_attention_mask(attention_mask, query, num_keys)
        if cache is None:
            key, value = masks.zero_unseen(key, attention_mask), masks.zero_unseen(value, attention_mask)
            seen = masks.from_padding(layout.mask)
        else:
            arguments.same_batch(self, inputs=query, cache=cache.key)
            value = masks.zero_unseen(value, cache.mask_of_new(attention_mask, key, cache_index))
            cache, seen = cache.append(key, value, cache_index)
            key, value = cache.key, cache.value
        context, scores = self.attend(
            query,
            key,
            value,
            masks.combine(seen, attention_mask),
            training,
            return_attention_scores,
            bias=attention_bias,
            is_causal=use_causal_mask and cache is None,
        )
        return with_extras(project(self.output_projection, layout.unpad(context)), cache, scores)

    def make_cache(self, batch_size: Tensor, max_length: Tensor | None = None) -> KeyValueCache:
        """What step-by-step decoding carries along: the keys and values of its positions, in the compute dtype.

        Args:
            batch_size: B.
            max_length: how many positions there will be at most, L. Without, the cache grows with each call, which
                costs less; not for JAX and XLA, since its shape changes.

        Returns:
            Zeros (B, H, L, d) as an `ops.FixedKeyValueCache`, or an `ops.GrowingKeyValueCache` without any position.
        """
        return empty_cache(batch_size, self.num_heads, self.head_dim, self.compute_dtype, max_length)
