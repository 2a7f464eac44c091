"""One contract case for each layer; the JAX tests use them too. Dimensions are distinct primes."""

import numpy as np

from keras_transformer import layers
from keras_transformer.testing import LayerCase

B, T, S, D, E, F, V = 3, 7, 5, 6, 11, 13, 19
_random = np.random.default_rng(3)
X = _random.normal(size=(B, T, D)).astype("float32")
MEMORY = _random.normal(size=(B, S, E)).astype("float32")
IDS = _random.integers(1, V, size=(B, T)).astype("int32")

BLOCK = {"num_heads": 2, "intermediate_dim": F, "dropout": 0.1}
OF_INPUTS = {"inputs": "padding_mask"}

CASES = {
    "PositionalEncoding": LayerCase(layers.PositionalEncoding, {"max_wavelength": 100.0}, {"inputs": X}),
    "PositionEmbedding": LayerCase(layers.PositionEmbedding, {"max_length": T}, {"inputs": X}),
    "SegmentEmbedding": LayerCase(
        layers.SegmentEmbedding, {"initializer": "ones"}, {"inputs": X, "segment_ids": IDS % 2}
    ),
    "PositionalEncoding halves": LayerCase(layers.PositionalEncoding, {"layout": "halves"}, {"inputs": X}),
    "RelativePositionBias": LayerCase(
        layers.RelativePositionBias,
        {"num_heads": 3, "num_buckets": 8, "max_distance": 5},
        {"inputs": X},
        pooled=True,
        output_dtype="float32",
    ),
    "Bias": LayerCase(layers.Bias, {}, {"inputs": X}),
    "TokenEmbedding": LayerCase(layers.TokenEmbedding, {"vocabulary_size": V, "hidden_dim": D}, {"inputs": IDS}),
    "EmbeddingResidual": LayerCase(layers.EmbeddingResidual, {}, {"inputs": X, "embeddings": X[:, ::-1]}),
    "TokenWeights": LayerCase(layers.TokenWeights, {"vocabulary_size": V}, {"inputs": X, "ids": IDS}),
    "MultiHeadSelfAttention": LayerCase(layers.MultiHeadSelfAttention, {"num_heads": 3}, {"inputs": X}, OF_INPUTS),
    "MultiHeadSelfAttention causal": LayerCase(
        layers.MultiHeadSelfAttention,
        {"num_heads": 2, "key_dim": 5, "use_bias": False},
        {"inputs": X},
        OF_INPUTS,
        causal=True,
        options={"use_causal_mask": True},
    ),
    "MultiHeadCrossAttention": LayerCase(
        layers.MultiHeadCrossAttention,
        {"num_heads": 3},
        {"inputs": X, "context": MEMORY},
        {"context": "context_padding_mask"},
    ),
    "FeedForward": LayerCase(
        layers.FeedForward, {"intermediate_dim": F, "activation": "gelu"}, {"inputs": X}, OF_INPUTS
    ),
    "Dropout": LayerCase(layers.Dropout, {"rate": 0.2}, {"inputs": X}),
    "AddNorm": LayerCase(layers.AddNorm, {"dropout": 0.2}, {"inputs": X, "outputs": X[:, ::-1]}),
    "EncoderBlock": LayerCase(layers.EncoderBlock, BLOCK, {"inputs": X}, OF_INPUTS),
    "EncoderBlock causal": LayerCase(
        layers.EncoderBlock,
        BLOCK,
        {"inputs": X},
        OF_INPUTS,
        causal=True,
        options={"use_causal_mask": True},
    ),
    "UnitNormalization": LayerCase(layers.UnitNormalization, {}, {"inputs": X}, output_dtype="float32"),
    "EncoderBlock pre-norm": LayerCase(layers.EncoderBlock, {**BLOCK, "norm_first": True}, {"inputs": X}, OF_INPUTS),
    "DecoderBlock": LayerCase(
        layers.DecoderBlock,
        BLOCK,
        {"inputs": X, "encoder_outputs": MEMORY},
        {"inputs": "padding_mask", "encoder_outputs": "encoder_padding_mask"},
        causal=True,
    ),
    "DecoderBlock pre-norm": LayerCase(
        layers.DecoderBlock,
        {**BLOCK, "norm_first": True},
        {"inputs": X, "encoder_outputs": MEMORY},
        {"inputs": "padding_mask", "encoder_outputs": "encoder_padding_mask"},
        causal=True,
    ),
    **{
        f"SequencePooling {mode}": LayerCase(
            layers.SequencePooling, {"mode": mode}, {"inputs": X}, OF_INPUTS, pooled=True
        )
        for mode in ("sqrtn", "sum", "mean", "max", "first")
    },
}
