from collections.abc import Callable

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import (
    Dropout,
    EmbeddingResidual,
    PositionalEncoding,
    SequencePooling,
    TokenEmbedding,
    TokenWeights,
    UnitNormalization,
)
from keras_transformer.models.encoder_model import EncoderModel
from keras_transformer.models.sum_start import begin_with, start_tokens
from keras_transformer.types import Activation, DType, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class SentenceEncoder(EncoderModel):
    """Token ids to one unit vector a sentence, after the Transformer variant of the Universal Sentence Encoder.

    Embeddings, positions, encoder blocks, sum / sqrt(length), a projection without bias, unit length.

    Args:
        vocabulary_size: number of token ids V.
        num_layers: number of encoder blocks.
        hidden_dim: width D of the blocks.
        intermediate_dim: width F of the feed-forward networks.
        num_heads: heads H of every attention.
        output_dim: width of the vectors; the paper's 512.
        pooling: mode of `SequencePooling`.
        token_weights: add the embedding of each token, times a learned number that begins as 4, to what the blocks give
            for it, and multiply the sum by a learned weight of the token (`TokenWeights`), before the pooling: so an
            untrained encoder compares texts by the rare words that they share. The paper has none of this.
        num_special_ids: how many first ids stand for no word, for `token_weights`: 260 with byte fallback.
        dropout: rate on sub-layer outputs and on the sums of embeddings and positions.
        attention_dropout: rate on attention weights.
        activation_dropout: rate inside the feed-forward networks.
        activation: of the feed-forward networks.
        norm_first: pre-norm instead of post-norm, with a last normalisation after the stack.
        layer_norm_epsilon: added to variances.
        padding_id: the id that is not attended to.
        name: the model's name.
        dtype: dtype or dtype policy, as "mixed_bfloat16"; by default the global one.

    Call arguments:
        inputs: integer ids (B, T).
        training: whether dropout is active.

    Returns:
        (B, output_dim), float32, of length 1; a sentence of padding only gives the zero vector.

    Raises:
        ValueError: for bad sizes, rates and ids.

    References:
        Cer et al., 2018, "Universal Sentence Encoder", section 3.1.

    Example:
        >>> encoder = keras_transformer.models.SentenceEncoder.from_preset("tiny", vocabulary_size=50, output_dim=6)
        >>> vectors = encoder(np.array([[5, 6, 7], [0, 0, 0]]))  # the second sentence is padding only
        >>> np.round(np.linalg.norm(vectors, axis=1), 5)
        array([1., 0.], dtype=float32)
    """

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int = 6,
        hidden_dim: int = 512,
        intermediate_dim: int = 2048,
        num_heads: int = 8,
        output_dim: int = 512,
        pooling: str = "sqrtn",
        token_weights: bool = False,
        num_special_ids: int = 4,
        dropout: float = 0.1,
        attention_dropout: float = 0.0,
        activation_dropout: float = 0.0,
        activation: Activation = "relu",
        norm_first: bool = False,
        layer_norm_epsilon: float = 1e-6,
        padding_id: int = 0,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        # Layers
        arguments.rate("dropout", dropout)
        dtype = keras.dtype_policies.get(dtype)
        self.token_embedding = TokenEmbedding(
            vocabulary_size, hidden_dim, padding_id=padding_id, dtype=dtype, name="embedding"
        )
        self.positional_encoding = PositionalEncoding(dtype=dtype, name="positional_encoding")
        self.embedding_dropout = Dropout(dropout, dtype=dtype, name="dropout")
        self.make_encoder(
            num_layers,
            num_heads=num_heads,
            intermediate_dim=intermediate_dim,
            dropout=dropout,
            attention_dropout=attention_dropout,
            activation_dropout=activation_dropout,
            activation=activation,
            norm_first=norm_first,
            layer_norm_epsilon=layer_norm_epsilon,
            dtype=dtype,
        )
        self.embedding_residual = self.token_weights = None
        if token_weights:
            self.embedding_residual = EmbeddingResidual(dtype=dtype, name="embedding_residual")
            self.token_weights = TokenWeights(
                vocabulary_size, num_special=num_special_ids, dtype=dtype, name="token_weights"
            )
        self.pooling = SequencePooling(pooling, dtype=dtype, name="pooling")
        # Without a bias, so that a sentence without tokens stays the zero vector.
        self.projection = keras.layers.Dense(
            arguments.positive_integer("output_dim", output_dim),
            use_bias=False,
            dtype=dtype,
            name="projection",
        )
        self.unit_normalization = UnitNormalization(dtype=dtype, name="unit_normalization")

        # Functional graph
        ids = keras.Input((None,), dtype="int32", name="ids")
        super().__init__(inputs=ids, outputs=self.pool(self.encode(ids)), name=name)

    def encode(
        self,
        ids: Tensor,
        training: bool | None = None,
        unpadding: bool = False,
        adding: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """Ids (B, T) to a vector for each token (B, T, D), of which the sentence's is pooled, with their Keras mask.

        With `unpadding`, which is not for JAX and XLA, padding costs nothing. `adding`, a function of (B, T, D), adds
        to the sums of embeddings and positions: those of segments, for example.
        """
        embeddings = self.token_embedding(ids)
        x = self.positional_encoding(embeddings)
        x = self.run_encoder(adding(x) if adding else x, self.embedding_dropout, training, unpadding)
        if self.token_weights:
            x = self.token_weights(self.embedding_residual(x, embeddings), ids)
        return x

    def pool(self, tokens: Tensor) -> Tensor:
        """What `encode` gave to one vector a sentence."""
        return self.unit_normalization(self.projection(self.pooling(tokens)))

    @property
    def summed_tables(self) -> list[TokenEmbedding]:
        """The layers whose embeddings an encoder with `token_weights` begins as weighted sums of."""
        return [self.token_embedding]

    @property
    def num_summed(self) -> int:
        """How many embeddings these have."""
        return self.token_embedding.vocabulary_size

    def summed_ids(self, ids: Tensor) -> Tensor:
        """Which of them are summed for ids (B, T): (B, any), -1 for none."""
        return ops.where(ids == self.token_embedding.padding_id, -1, ids)

    def start_as_sum(self, vectors: Tensor, directions: Tensor) -> None:
        """Makes an encoder with `token_weights` begin as about the sum of these vectors, times `directions`.

        Their lengths become token weights. An id whose vector is zero keeps its embedding, with the smallest weight.

        Args:
            vectors: floating (`num_summed`, K), K at most `hidden_dim`.
            directions: floating (K, `output_dim`), for the first rows of the projection.
        """
        start_tokens(self.token_embedding, self.token_weights, vectors)
        begin_with(self.projection.kernel, directions)
