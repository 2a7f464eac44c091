from collections.abc import Callable, Sequence

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import (
    Dropout,
    PositionEmbedding,
    RelativePositionBias,
    SequencePooling,
    TokenEmbedding,
    UnitNormalization,
)
from keras_transformer.models.encoder_model import EncoderModel
from keras_transformer.types import Activation, Config, DType, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class BertEncoder(EncoderModel):
    """Token ids to one vector a sentence, with the encoder of BERT or MPNet: what sentence-transformers models are.

    Embeddings plus learned positions, layer normalisation, encoder blocks, pooling, projections, unit length. Where
    BERT adds the vector of the first segment to every token, that vector is part of the positions' here.

    Args:
        vocabulary_size: number of token ids V.
        num_layers: number of encoder blocks.
        hidden_dim: width D of the blocks.
        intermediate_dim: width F of the feed-forward networks.
        num_heads: heads H of every attention.
        max_length: number of positions.
        relative_position_buckets: of a `RelativePositionBias` that all blocks share, as in MPNet; `None` for none.
        pooling: mode of `SequencePooling`, or a list of modes whose vectors are joined.
        projections: the layers after the pooling, each a dictionary with "units", "activation" and "use_bias".
        normalize: whether vectors are divided by their length.
        truncate_dim: only so many dimensions of the vector are kept, which was divided before; by default all.
        dropout: rate on sub-layer outputs and on the normalised embeddings.
        attention_dropout: rate on attention weights.
        activation: of the feed-forward networks; BERT's is the exact GELU.
        layer_norm_epsilon: added to variances.
        padding_id: the id that fills up a batch, and is not attended to in front of the other ids and behind them.
            Between them, where a text spells the padding token, it is a token as any other.
        counts_padding: whether such a token has a position, as in BERT. In MPNet it has none, and those behind it
            follow on.
        name: the model's name.
        dtype: dtype or dtype policy, as "mixed_bfloat16"; by default the global one.

    Call arguments:
        inputs: integer ids (B, T), of at most `max_length` positions.
        training: whether dropout is active.

    Returns:
        (B, D), or of the width of the last projection, or of several poolings together, or `truncate_dim`; float32 of
        length 1 with `normalize` (before it is truncated), else in the compute dtype.

    Raises:
        ValueError: for bad sizes, rates, ids and poolings.

    References:
        Devlin et al., 2019, "BERT"; Song et al., 2020, "MPNet"; Reimers and Gurevych, 2019, "Sentence-BERT".

    Example:
        >>> encoder = keras_transformer.models.BertEncoder(
        ...     vocabulary_size=50, num_layers=1, hidden_dim=8, intermediate_dim=16, num_heads=2
        ... )
        >>> vectors = encoder(np.array([[5, 6, 7, 0], [8, 0, 0, 0]]))
        >>> np.round(np.linalg.norm(vectors, axis=1), 5)
        array([1., 1.], dtype=float32)
    """

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int = 12,
        hidden_dim: int = 768,
        intermediate_dim: int = 3072,
        num_heads: int = 12,
        max_length: int = 512,
        relative_position_buckets: int | None = None,
        pooling: str | Sequence[str] = "mean",
        projections: Sequence[Config] = (),
        normalize: bool = True,
        dropout: float = 0.1,
        attention_dropout: float = 0.1,
        activation: Activation = "gelu",
        layer_norm_epsilon: float = 1e-12,
        padding_id: int = 0,
        counts_padding: bool = True,
        truncate_dim: int | None = None,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        # Layers
        arguments.rate("dropout", dropout)
        dtype = keras.dtype_policies.get(dtype)
        self.token_embedding = TokenEmbedding(
            vocabulary_size, hidden_dim, padding_id, scale=False, padding_side="both", dtype=dtype, name="embedding"
        )
        self.counts_padding = counts_padding
        self.truncate_dim = arguments.optional_positive_integer("truncate_dim", truncate_dim)
        self.position_embedding = PositionEmbedding(max_length, dtype=dtype, name="position_embedding")
        self.embedding_norm = keras.layers.LayerNormalization(
            epsilon=layer_norm_epsilon, dtype=dtype, name="embedding_norm"
        )
        self.embedding_dropout = Dropout(dropout, dtype=dtype, name="dropout")
        self.relative_position_bias = None
        if relative_position_buckets is not None:
            self.relative_position_bias = RelativePositionBias(
                num_heads, relative_position_buckets, dtype=dtype, name="relative_position_bias"
            )
        self.make_encoder(
            num_layers,
            num_heads=num_heads,
            intermediate_dim=intermediate_dim,
            dropout=dropout,
            attention_dropout=attention_dropout,
            activation=activation,
            norm_first=False,
            layer_norm_epsilon=layer_norm_epsilon,
            dtype=dtype,
        )
        self._make_pooling([pooling] if isinstance(pooling, str) else list(pooling), projections, normalize, dtype)

        # Functional graph
        ids = keras.Input((None,), dtype="int32", name="ids")
        super().__init__(inputs=ids, outputs=self.pool(self.encode(ids)), name=name)

    def _make_pooling(self, modes, projections, normalize, dtype):
        """What makes the vector of a sentence of those of its tokens."""
        if not modes:
            raise ValueError("Expected at least one mode of pooling. Received: pooling=[]")
        self.poolings = [SequencePooling(mode, dtype=dtype, name=f"pooling_{mode}") for mode in modes]
        self.join = keras.layers.Concatenate(dtype=dtype, name="join") if len(modes) > 1 else None
        self.projections = [
            keras.layers.Dense(**projection, dtype=dtype, name=f"projection_{i}")
            for i, projection in enumerate(projections)
        ]
        self.unit_normalization = UnitNormalization(dtype=dtype, name="unit_normalization") if normalize else None

    def encode(
        self,
        ids: Tensor,
        training: bool | None = None,
        unpadding: bool = False,
        adding: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """Ids (B, T) to a vector for each token (B, T, D), which carry their Keras mask.

        With `unpadding`, which is not for JAX and XLA, padding costs nothing. `adding`, a function of (B, T, D), adds
        to the embeddings before they are normalized: those of segments, for example.
        """
        is_counted = None if self.counts_padding else ops.not_equal(ids, self.token_embedding.padding_id)
        x = self.position_embedding(self.token_embedding(ids), counted=is_counted)
        x = adding(x) if adding else x
        bias = self.relative_position_bias(x) if self.relative_position_bias else None
        return self.run_encoder(x, self._prepared, training, unpadding, bias)

    def _prepared(self, x, training):
        return self.embedding_dropout(self.embedding_norm(x), training=training)

    def pool(self, tokens: Tensor) -> Tensor:
        """What `encode` gave to one vector a sentence."""
        pooled = [layer(tokens) for layer in self.poolings]
        x = self.join(pooled) if self.join else pooled[0]
        for layer in self.projections:
            x = layer(x)
        x = self.unit_normalization(x) if self.unit_normalization else x
        return x[:, : self.truncate_dim] if self.truncate_dim else x
