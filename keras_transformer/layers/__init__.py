"""The Transformer's layers: tensors in, tensors out, on `keras.ops` alone.

Shapes are named by the letters of `keras_transformer.ops`.

Blocks to stack
    EncoderBlock, DecoderBlock

What blocks are made of
    MultiHeadSelfAttention, MultiHeadCrossAttention, FeedForward, AddNorm, Dropout, FusedInitializer,
    scaled_dot_product_attention (the paper's formula, as a function)

Before and after the blocks
    TokenEmbedding, PositionalEncoding, PositionEmbedding, SegmentEmbedding, RelativePositionBias, SequencePooling,
    UnitNormalization

Without the padding
    Unpad, Repad

What models add to the paper's
    Bias, EmbeddingResidual, TokenWeights
"""

import keras_transformer.layers.renamed  # noqa: F401, which registers old names
from keras_transformer.layers.add_norm import AddNorm
from keras_transformer.layers.bias import Bias
from keras_transformer.layers.decoder_block import DecoderBlock
from keras_transformer.layers.dropout import Dropout
from keras_transformer.layers.embedding_residual import EmbeddingResidual
from keras_transformer.layers.encoder_block import EncoderBlock
from keras_transformer.layers.feed_forward import FeedForward
from keras_transformer.layers.initializers import FusedInitializer
from keras_transformer.layers.multi_head_cross_attention import MultiHeadCrossAttention
from keras_transformer.layers.multi_head_self_attention import MultiHeadSelfAttention
from keras_transformer.layers.position_embedding import PositionEmbedding
from keras_transformer.layers.positional_encoding import PositionalEncoding
from keras_transformer.layers.relative_position_bias import RelativePositionBias
from keras_transformer.layers.repad import Repad
from keras_transformer.layers.segment_embedding import SegmentEmbedding
from keras_transformer.layers.sequence_pooling import SequencePooling
from keras_transformer.layers.token_embedding import TokenEmbedding
from keras_transformer.layers.token_weights import TokenWeights
from keras_transformer.layers.unit_normalization import UnitNormalization
from keras_transformer.layers.unpad import Unpad
from keras_transformer.ops.attention import scaled_dot_product_attention

__all__ = [
    "AddNorm",
    "Bias",
    "DecoderBlock",
    "Dropout",
    "EmbeddingResidual",
    "EncoderBlock",
    "FeedForward",
    "FusedInitializer",
    "MultiHeadCrossAttention",
    "MultiHeadSelfAttention",
    "PositionEmbedding",
    "PositionalEncoding",
    "RelativePositionBias",
    "Repad",
    "SegmentEmbedding",
    "SequencePooling",
    "TokenEmbedding",
    "TokenWeights",
    "UnitNormalization",
    "Unpad",
    "scaled_dot_product_attention",
]
