import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import Dropout, SequencePooling, TokenEmbedding, TokenWeighting, UnitLength
from keras_transformer.models.composed_model import ComposedModel


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
        word_dropout: the share of words and pairs left out in training.
        activation: of the hidden layers.
        token_weights: multiply the vector of each word by a learned weight (`TokenWeighting`), begin with embeddings of
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
    """

    def __init__(
        self,
        vocabulary_size,
        num_bigram_buckets=20000,
        num_layers=2,
        hidden_dim=512,
        output_dim=512,
        pooling="mean",
        dropout=0.1,
        word_dropout=0.1,
        activation="relu",
        token_weights=False,
        padding_id=0,
        name=None,
        dtype=None,
    ):
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
        self.token_weighting = None
        if token_weights:
            self.token_weighting = TokenWeighting(vocabulary_size, dtype=dtype, name="token_weighting")
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
        self.unit_length = UnitLength(dtype=dtype, name="unit_length")

        # Functional graph
        ids = keras.Input((None,), dtype="int32", name="ids")
        super().__init__(inputs=ids, outputs=self._vectors(ids), name=name)

        # Config
        self.dtype_policy = dtype
        self.constructor_arguments = {
            "vocabulary_size": vocabulary_size,
            "num_bigram_buckets": num_bigram_buckets,
            "num_layers": num_layers,
            "hidden_dim": hidden_dim,
            "output_dim": output_dim,
            "pooling": pooling,
            "dropout": dropout,
            "word_dropout": word_dropout,
            "activation": keras.activations.serialize(keras.activations.get(activation)),
            "token_weights": token_weights,
            "padding_id": padding_id,
        }

    def _vectors(self, ids):
        x = self.token_embedding(ids)
        if self.token_weighting:
            x = self.token_weighting(x, ids)
        if self.bigram_embedding:
            bigrams = self.bigram_embedding(self.hashed_bigrams(ids))
            x = keras.layers.Concatenate(axis=1, dtype=self.token_embedding.dtype_policy, name="words_and_bigrams")(
                [x, bigrams]
            )
        x = self.pooling(self.word_dropout(x))
        for dense, dropout in zip(self.hidden_layers, self.hidden_dropouts):
            hidden = dropout(dense(x))
            x = x + hidden if self.token_weighting else hidden
        return self.unit_length(self.projection(x))

    def get_config(self):
        return {**self.base_config(), **self.constructor_arguments}


@keras.saving.register_keras_serializable(package="keras_transformer")
class HashedBigrams(keras.layers.Layer):
    """Ids of pairs of neighbouring tokens: (B, T) -> (B, T), 0 where either is padding, and at the first position.

    Args:
        num_buckets: the ids are 1 to `num_buckets`.
        padding_id: the token id that makes no pair.
    """

    def __init__(self, num_buckets, padding_id=0, **kwargs):
        super().__init__(**kwargs)
        self.num_buckets = arguments.positive_integer("num_buckets", num_buckets)
        self.padding_id = padding_id

    def call(self, ids):
        first = ops.pad(ids[:, :-1], [[0, 0], [1, 0]], constant_values=self.padding_id)
        # Products wrap around in 32 bits on every backend.
        mixed = ops.bitwise_xor(first * 73856093, ids * 19349663)
        bucket = 1 + ops.mod(mixed, self.num_buckets)
        is_pair = ops.logical_and(first != self.padding_id, ids != self.padding_id)
        return ops.where(is_pair, bucket, 0)

    def get_config(self):
        return {**super().get_config(), "num_buckets": self.num_buckets, "padding_id": self.padding_id}
