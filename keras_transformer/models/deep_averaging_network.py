from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import Dropout, SequencePooling, TokenEmbedding, TokenWeights, UnitNormalization
from keras_transformer.layers.base_layer import BaseLayer
from keras_transformer.models.composed_model import ComposedModel
from keras_transformer.models.sum_start import begin_with, start_tokens
from keras_transformer.types import Activation, DType, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class DeepAveragingNetwork(ComposedModel):
    """Token ids to one unit vector a sentence, after the averaging variant of the Universal Sentence Encoder.

    Embeddings of words, and of pairs of neighbouring words hashed into buckets, are averaged and go through a
    feed-forward network.

    Args:
        vocabulary_size: number of token ids V; those of a `WordTokenizer` for what the paper has.
        num_bigram_buckets: how many embeddings the pairs of words share; 0 for words alone.
        num_layers: hidden layers of the feed-forward network.
        hidden_dim: width of the embeddings and of the hidden layers.
        output_dim: width of the vectors; the paper's 512.
        pooling: mode of `SequencePooling`.
        dropout: rate on the hidden layers.
        word_dropout: the fraction of words and pairs that is dropped in training.
        activation: of the hidden layers.
        token_weights: multiply the vector of each word by a learned weight (`TokenWeights`), begin with embeddings of
            pairs that are zero, and add what a hidden layer takes to what it gives: so an untrained network compares
            texts by the rare words that they share. The paper has none of this.
        padding_id: the id that does not count.
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
        Cer et al., 2018, "Universal Sentence Encoder", section 3.2; Iyyer et al., 2015, "Deep Unordered Composition
        Rivals Syntactic Methods for Text Classification" (word dropout).

    Example:
        >>> encoder = keras_transformer.models.DeepAveragingNetwork(50, 20, hidden_dim=8, output_dim=6)
        >>> encoder(np.array([[5, 6, 7], [8, 0, 0]])).shape
        TensorShape([2, 6])
    """

    def __init__(
        self,
        vocabulary_size: int,
        num_bigram_buckets: int = 20000,
        num_layers: int = 2,
        hidden_dim: int = 512,
        output_dim: int = 512,
        pooling: str = "mean",
        dropout: float = 0.1,
        word_dropout: float = 0.1,
        activation: Activation = "relu",
        token_weights: bool = False,
        padding_id: int = 0,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        # Layers
        arguments.positive_integer("num_layers", num_layers)
        arguments.non_negative_integer("num_bigram_buckets", num_bigram_buckets)
        arguments.rate("dropout", dropout)
        arguments.rate("word_dropout", word_dropout)
        dtype = keras.dtype_policies.get(dtype)
        self.token_embedding = TokenEmbedding(
            vocabulary_size, hidden_dim, padding_id=padding_id, dtype=dtype, name="embedding"
        )
        self.hashed_bigrams = self.bigram_embedding = None
        if num_bigram_buckets:
            self.hashed_bigrams = HashedBigrams(num_bigram_buckets, padding_id, dtype="int32", name="hashed_bigrams")
            self.bigram_embedding = TokenEmbedding(
                num_bigram_buckets + 1,
                hidden_dim,
                embeddings_initializer="zeros" if token_weights else None,
                dtype=dtype,
                name="bigram_embedding",
            )
        self.token_weights = None
        if token_weights:
            self.token_weights = TokenWeights(vocabulary_size, dtype=dtype, name="token_weights")
        # The same mask for all of a word's vector: (B, T, 1).
        self.word_dropout = keras.layers.Dropout(
            word_dropout, noise_shape=(None, None, 1), dtype=dtype, name="word_dropout"
        )
        self.pooling = SequencePooling(pooling, dtype=dtype, name="pooling")
        self.hidden_layers = [
            keras.layers.Dense(hidden_dim, activation=activation, use_bias=False, dtype=dtype, name=f"hidden_{i}")
            for i in range(num_layers)
        ]
        self.hidden_dropouts = [Dropout(dropout, dtype=dtype, name=f"dropout_{i}") for i in range(num_layers)]
        # Without biases, so that a sentence without tokens stays the zero vector.
        self.projection = keras.layers.Dense(
            arguments.positive_integer("output_dim", output_dim), use_bias=False, dtype=dtype, name="projection"
        )
        self.unit_normalization = UnitNormalization(dtype=dtype, name="unit_normalization")

        # Functional graph
        ids = keras.Input((None,), dtype="int32", name="ids")
        super().__init__(inputs=ids, outputs=self._vectors(ids), name=name)

    def _vectors(self, ids):
        x = self.token_embedding(ids)
        if self.token_weights:
            x = self.token_weights(x, ids)
        if self.bigram_embedding:
            bigrams = self.bigram_embedding(self.hashed_bigrams(ids))
            x = keras.layers.Concatenate(axis=1, dtype=self.token_embedding.dtype_policy, name="words_and_bigrams")(
                [x, bigrams]
            )
        x = self.pooling(self.word_dropout(x))
        for dense, dropout in zip(self.hidden_layers, self.hidden_dropouts):
            hidden = dropout(dense(x))
            x = x + hidden if self.token_weights else hidden
        return self.unit_normalization(self.projection(x))

    @property
    def summed_tables(self) -> list[TokenEmbedding]:
        """The layers whose embeddings a network with `token_weights` begins as weighted sums of."""
        return [self.token_embedding, *([self.bigram_embedding] if self.bigram_embedding else [])]

    @property
    def num_summed(self) -> int:
        """How many embeddings these have."""
        return sum(table.vocabulary_size for table in self.summed_tables)

    def summed_ids(self, ids: Tensor) -> Tensor:
        """Which of them are summed for ids (B, T): (B, any), -1 for none."""
        words = ops.where(ids == self.token_embedding.padding_id, -1, ids)
        if self.bigram_embedding is None:
            return words
        pairs = self.hashed_bigrams(ids)
        pairs = ops.where(pairs > 0, self.token_embedding.vocabulary_size + pairs, -1)
        return ops.concatenate([words, pairs], axis=1)

    def start_as_sum(self, vectors: Tensor, directions: Tensor) -> None:
        """Makes a network with `token_weights` begin as about the sum of these vectors, times `directions`.

        Lengths of words' vectors become token weights. A word whose vector is zero keeps its embedding, with the
        smallest weight. What the hidden layers add becomes a tenth.

        Args:
            vectors: floating (`num_summed`, K), K at most `hidden_dim`.
            directions: floating (K, `output_dim`), for the first rows of the projection.
        """
        count = self.token_embedding.vocabulary_size
        scale = start_tokens(self.token_embedding, self.token_weights, vectors[:count])
        if self.bigram_embedding is not None:
            begin_with(self.bigram_embedding.embedding.embeddings, vectors[count:] * scale)
        for dense in self.hidden_layers:
            dense.kernel.assign(dense.kernel * 0.1)
        begin_with(self.projection.kernel, directions)


@keras.saving.register_keras_serializable(package="keras_transformer")
class HashedBigrams(BaseLayer):
    """Ids of pairs of neighbouring tokens: (B, T) -> (B, T), 0 where either is padding, and at the first position.

    Args:
        num_buckets: the ids are 1 to `num_buckets`.
        padding_id: the token id that makes no pair.

    Example:
        >>> np.asarray(
        ...     keras_transformer.models.deep_averaging_network.HashedBigrams(100, dtype="int32")(
        ...         np.array([[5, 6, 5, 6, 0]], "int32")
        ...     )
        ...     > 0
        ... )
        array([[False,  True,  True,  True, False]])
    """

    def __init__(self, num_buckets: int, padding_id: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_buckets = arguments.positive_integer("num_buckets", num_buckets)
        self.padding_id = padding_id

    def call(self, ids: Tensor) -> Tensor:
        first = ops.pad(ids[:, :-1], [[0, 0], [1, 0]], constant_values=self.padding_id)
        # Products wrap around in 32 bits on every backend.
        mixed = ops.bitwise_xor(first * 73856093, ids * 19349663)
        bucket = 1 + ops.mod(mixed, self.num_buckets)
        is_pair = ops.logical_and(first != self.padding_id, ids != self.padding_id)
        return ops.where(is_pair, bucket, 0)
