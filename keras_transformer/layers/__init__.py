"""The Transformer's layers: tensors in, tensors out, on `keras.ops` alone.

Shapes are named everywhere by the same letters: B batch, T target (or only) length, S source length, L cache
length, H heads, d width of a head, D model width, E encoder width, F feed-forward width, V vocabulary.
"""

# The paper's formula, as a function
from keras_transformer.layers.attention import scaled_dot_product_attention

# What models add to the paper's
from keras_transformer.layers.bias import Bias

# Blocks to stack
from keras_transformer.layers.decoder_block import DecoderBlock

# What blocks are made of
from keras_transformer.layers.dropout import Dropout
from keras_transformer.layers.embedding_residual import EmbeddingResidual
from keras_transformer.layers.encoder_block import EncoderBlock
from keras_transformer.layers.feed_forward import FeedForward
from keras_transformer.layers.initializers import FusedInitializer
from keras_transformer.layers.multi_head_cross_attention import MultiHeadCrossAttention
from keras_transformer.layers.multi_head_self_attention import MultiHeadSelfAttention

# Before and after the blocks
from keras_transformer.layers.pack import Pack
from keras_transformer.layers.position_embedding import PositionEmbedding
from keras_transformer.layers.positional_encoding import PositionalEncoding
from keras_transformer.layers.relative_position_bias import RelativePositionBias
from keras_transformer.layers.residual import Residual
from keras_transformer.layers.sequence_pooling import SequencePooling
from keras_transformer.layers.token_embedding import TokenEmbedding
from keras_transformer.layers.token_weighting import TokenWeighting
from keras_transformer.layers.unit_length import UnitLength
from keras_transformer.layers.unpack import Unpack

__all__ = [
    "Bias",
    "DecoderBlock",
    "Dropout",
    "EmbeddingResidual",
    "EncoderBlock",
    "FeedForward",
    "FusedInitializer",
    "MultiHeadCrossAttention",
    "MultiHeadSelfAttention",
    "Pack",
    "PositionEmbedding",
    "PositionalEncoding",
    "RelativePositionBias",
    "Residual",
    "SequencePooling",
    "TokenEmbedding",
    "TokenWeighting",
    "UnitLength",
    "Unpack",
    "scaled_dot_product_attention",
]
