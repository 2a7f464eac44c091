"""Pure functions on tensors: the ground floor, on `keras.ops` alone unless a file says that it calls TensorFlow.

Shapes are named everywhere by the same letters: B batch, T target (or only) length, S source length, L cache
length, H heads, d width of a head, D model width, E encoder width, F feed-forward width, V vocabulary, K beam,
N real tokens of a batch.

- `attention`: the one entry; behind it `dense_attention` and `blockwise_attention`.
- `masks`: all mask arithmetic.
- `positions`: positions of a sequence, and the paper's sinusoids.
- `token_ids`: ids outside the vocabulary.
- `unpadding`: `TokenLayout`, which leaves the padding out.
- `kv_cache`: keys and values of one layer in step-by-step decoding; `decoder_cache`: those of a whole decoder.
- `top_k`: the largest of many logits, and rows by index.
"""

from keras_transformer.ops.attention import scaled_dot_product_attention
from keras_transformer.ops.decoder_cache import BeamCache, DecoderCache
from keras_transformer.ops.kv_cache import (
    CrossAttentionCache,
    FixedKeyValueCache,
    GrowingKeyValueCache,
    empty_cache,
)
from keras_transformer.ops.unpadding import TokenLayout

__all__ = [
    "BeamCache",
    "CrossAttentionCache",
    "DecoderCache",
    "FixedKeyValueCache",
    "GrowingKeyValueCache",
    "TokenLayout",
    "empty_cache",
    "scaled_dot_product_attention",
]
