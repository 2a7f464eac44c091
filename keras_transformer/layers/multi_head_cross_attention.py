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
        if packing is None:
            mask = masks.resolve(mask, "padding_mask", padding_mask, inputs.shape[:2])
            inputs = self.zero_padding(inputs, mask)
        projected = project(self.query, inputs)
        if packing is not None:
            projected = spread(projected, packing)
            masks.resolve(mask, "padding_mask", padding_mask, projected.shape[:2])
        (query,) = split_heads(projected, 1, self.num_heads)
        # Of keys in a cache it is not known that padding was zero when they were made.
        unseen = None
        if cache is None:
            if context is None:
                raise ValueError("Expected context or cache. Received: context=None, cache=None")
            arguments.same_batch(self, inputs=query, context=_batch(context, context_packing))
            cache = self._cache(context, context_packing, context_mask, context_padding_mask)
        else:
            arguments.same_batch(self, inputs=query, cache=cache["key"])
            shape = query.shape[0], cache["key"].shape[2]
            unseen = masks.resolve(context_mask, "context_padding_mask", context_padding_mask, shape)
        unseen = masks.combine(
            masks.from_padding(unseen), self.check_attention_mask(attention_mask, query, cache["key"].shape[2])
        )
        key, value = masks.zero_unseen(cache["key"], unseen), masks.zero_unseen(cache["value"], unseen)
        score_mask = masks.combine(masks.from_padding(cache.get("mask")), unseen)
        outputs, weights = self.attend(
            query,
            key,
            value,
            score_mask,
            training,
            packing=packing,
            return_attention_scores=return_attention_scores,
        )
        return with_extras(outputs, weights)

    def make_cache(self, context, context_packing=None, context_padding_mask=None):
        """The keys and values of a context, computed once for many calls.

        Args:
            context: (B, S, E); with `context_packing`, (N, E).
            context_packing: what `Pack` gave beside the context, if that is packed.
            context_padding_mask: boolean (B, S); ANDed with the implicit mask of `context`.

        Returns:
            {"key", "value"}, each (B, H, S, d), and where a mask is known "mask", (B, S), which calls with the cache
            then need not be given.
        """
        mask = masks.implicit_mask(context)
        return self._cache(context, context_packing, mask, context_padding_mask)

    def _cache(self, context, packing, mask, padding_mask):
        """As `make_cache`, of a context whose implicit mask is `mask`."""
        padding_mask = masks.resolve(mask, "context_padding_mask", padding_mask, _batch(context, packing).shape[:2])
        if packing is None:
            mask, projected = padding_mask, project(self.key_value, masks.zero_padding(context, padding_mask))
        else:
            mask = masks.combine(padding_mask, packing["mask"])
            projected = masks.zero_padding(spread(project(self.key_value, context), packing), padding_mask)
        key, value = split_heads(projected, 2, self.num_heads)
        return {"key": key, "value": value, **({} if mask is None else {"mask": mask})}


def _batch(context, packing):
    """A tensor whose first axes are B and S."""
    return context if packing is None else packing["mask"]
