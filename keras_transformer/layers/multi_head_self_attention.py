import keras

from keras_transformer import arguments
from keras_transformer.layers import masks
from keras_transformer.layers.key_value_cache import extend, fixed_cache, growing_cache, length_with, mask_of_new
from keras_transformer.layers.multi_head_attention import (
    MultiHeadAttention,
    project,
    split_heads,
    with_extras,
)
from keras_transformer.layers.packing import spread


@keras.saving.register_keras_serializable(package="keras_transformer")
class MultiHeadSelfAttention(MultiHeadAttention):
    """Multi-head attention of a sequence to itself, with one fused query/key/value product.

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
        inputs: (B, T, D), floating; with `packing`, (N, D).
        packing: what `Pack` gave beside the inputs, if they are packed. The shapes of all masks, biases and scores
            stay those of the batch (B, T).
        padding_mask: boolean (B, T), True for real positions; ANDed with Keras' implicit mask. Padding may
            hold anything, NaN and infinity too.
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
            packed inputs or of another batch size.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", section 3.2.2.
    """

    def build(self, inputs_shape):
        width = arguments.known_width(self, inputs_shape, rank=(2, 3))
        self.build_attention(width)
        self.query_key_value = self.projection(
            3 * self.num_heads * self.head_dim, "query_key_value", width, num_parts=3
        )

    def call(
        self,
        inputs,
        *,
        packing=None,
        padding_mask=None,
        attention_mask=None,
        attention_bias=None,
        use_causal_mask=False,
        cache=None,
        cache_index=None,
        return_attention_scores=False,
        training=None,
        mask=None,
    ):
        arguments.known_width(self, inputs.shape, rank=3 if packing is None else 2)
        if packing is None and cache is None:
            mask, padding_mask = masks.resolve(mask, "padding_mask", padding_mask, inputs.shape[:2]), None
            inputs = self.zero_padding(inputs, mask)
        projected = project(self.query_key_value, inputs)
        if packing is not None:
            if cache is not None:
                raise ValueError("Expected padded inputs with a cache. Received: a packing too")
            mask = masks.combine(mask, packing["mask"])
            projected = spread(projected, packing)
        mask = masks.resolve(mask, "padding_mask", padding_mask, projected.shape[:2])
        if packing is not None and padding_mask is not None:
            projected = masks.zero_padding(projected, mask)
        query, key, value = split_heads(projected, 3, self.num_heads)
        num_keys = key.shape[2] if cache is None else length_with(cache, key)
        attention_mask = self.check_attention_mask(attention_mask, query, num_keys)
        written_mask = None
        if cache is None:
            key, value = masks.zero_unseen(key, attention_mask), masks.zero_unseen(value, attention_mask)
        else:
            arguments.same_batch(self, inputs=query, cache=next(iter(cache.values())))
            value = masks.zero_unseen(value, mask_of_new(cache, attention_mask, key, cache_index))
            cache, key, value, written_mask = extend(cache, key, value, cache_index)
            mask, use_causal_mask = None, False
        score_mask = masks.combine(masks.from_padding(mask), attention_mask, written_mask)
        outputs, weights = self.attend(
            query,
            key,
            value,
            score_mask,
            training,
            attention_bias,
            use_causal_mask,
            packing,
            return_attention_scores,
        )
        return with_extras(outputs, cache, weights)

    def make_cache(self, batch_size, max_length=None):
        """What step-by-step decoding carries along: the keys and values of its positions, in the compute dtype.

        Args:
            batch_size: B.
            max_length: how many positions there will be at most, L. Without, the cache grows with each call, which
                costs less; not for JAX and XLA, since its shape changes.

        Returns:
            {"key", "value"}, each (B, H, L, d), zeros; one that grows is {"past_key", "past_value"}, (B, H, 0, d).
        """
        if max_length is None:
            return growing_cache(batch_size, self.num_heads, self.head_dim, self.compute_dtype)
        return fixed_cache(batch_size, self.num_heads, max_length, self.head_dim, self.compute_dtype)
