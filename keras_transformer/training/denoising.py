from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import Dropout, EncoderBlock, PositionalEncoding
from keras_transformer.layers.base_layer import RecordedLayer
from keras_transformer.types import Shape, Tensor

if TYPE_CHECKING:
    from keras_transformer.models import BertEncoder, SentenceEncoder


@keras.saving.register_keras_serializable(package="keras_transformer")
class DenoisingDecoder(RecordedLayer):
    """A decoder must give back a text of which the vector knows a part: most of its tokens were deleted (TSDAE).

    Causal blocks see the tokens so far and the vector. Attention to a single vector is a linear map of it, the same at
    each position, and is computed as that: added to the inputs of each block. Embeddings and the last matrix are the
    encoder's. The encoder learns to put all that it knows into the vector; the decoder is not kept.

    Also known as DenoisingAutoEncoderLoss (sentence-transformers), whose decoder shares the blocks too.

    Args:
        num_layers: number of blocks, of the size of the encoder's.
        dropout: rate in the decoder.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: a list of one (B, D), of the texts without the deleted tokens.
        targets: integer (B, T): the ids of the whole texts, with begin and end ids, padded at the right.
        training: whether dropout is active.

    Returns:
        The mean cross-entropy of the tokens, a float32 scalar.

    Raises:
        ValueError: for sizes below 1 and rates out of range; where no encoder was bound, and for one without blocks.

    References:
        Wang et al., 2021, "TSDAE: Using Transformer-based Sequential Denoising Auto-Encoder for Unsupervised Sentence
        Embedding Learning".

    Example:
        >>> encoder = keras_transformer.models.SentenceEncoder.from_preset("tiny", vocabulary_size=50, output_dim=6)
        >>> objective = keras_transformer.training.DenoisingDecoder()
        >>> objective.bind(encoder)
        >>> loss = objective([encoder(np.array([[7, 8]]))], np.array([[2, 7, 9, 8, 3]]))
        >>> loss.shape, any(weight is encoder.token_embedding.weights[0] for weight in objective.weights)
        (TensorShape([]), True)
    """

    def __init__(self, num_layers: int = 1, dropout: float = 0.1, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_layers = arguments.positive_integer("num_layers", num_layers)
        self.dropout = arguments.rate("dropout", dropout)
        self.token_embedding = None

    def bind(self, encoder: "SentenceEncoder | BertEncoder") -> None:
        """Takes the embeddings of the encoder that is trained, and the size of its blocks; a training loop calls it.

        Raises:
            ValueError: for an encoder without blocks and embeddings.
        """
        if not hasattr(encoder, "encoder_blocks") or not hasattr(encoder, "token_embedding"):
            raise ValueError(f"Expected a transformer to be trained by denoising. Received: {type(encoder).__name__}")
        self.token_embedding = encoder.token_embedding
        block = encoder.encoder_blocks[0]
        self._block = {
            "num_heads": block.num_heads,
            "intermediate_dim": block.intermediate_dim,
            "norm_first": block.norm_first,
            "activation": block.activation,
            "dropout": self.dropout,
        }

    def build(self, vectors_shape: Sequence[Shape], targets_shape: Shape | None = None) -> None:
        if self.token_embedding is None:
            raise ValueError("Expected bind(encoder) before a DenoisingDecoder is called. Received: no encoder")
        # Numbers of about 1: those of a unit vector of width D are of about D^-0.5.
        self._scale = float(vectors_shape[0][-1]) ** 0.5
        inputs = (None, None, self.token_embedding.hidden_dim)
        self.embedding_norm = keras.layers.LayerNormalization(epsilon=1e-6, name="embedding_norm")
        self.positional_encoding = PositionalEncoding(name="positional_encoding")
        self.embedding_dropout = Dropout(self.dropout, name="dropout")
        self.blocks = [EncoderBlock(name=f"block_{i}", **self._block) for i in range(self.num_layers)]
        self.memories = [keras.layers.Dense(inputs[-1], name=f"memory_{i}") for i in range(self.num_layers)]
        for block, memory in zip(self.blocks, self.memories):
            block.build(inputs)
            memory.build(vectors_shape[0])
        self.norm = keras.layers.LayerNormalization(epsilon=1e-6, name="norm")
        for layer in (self.embedding_norm, self.norm):
            layer.build(inputs)

    def call(self, vectors: Sequence[Tensor], targets: Tensor, training: bool | None = None) -> Tensor:
        (vectors,) = vectors
        targets = ops.cast(targets, "int32")
        inputs, labels = targets[:, :-1], targets[:, 1:]
        x = self.embedding_norm(ops.cast(self.token_embedding(inputs), "float32"))
        # Causal attention keeps what is behind the last token from it, so that padding needs no mask.
        x = self.embedding_dropout(self.positional_encoding(x), training=training)
        vectors = self._scale * ops.cast(vectors, "float32")[:, None]
        for block, memory in zip(self.blocks, self.memories):
            x = block(x + memory(vectors), use_causal_mask=True, training=training)
        logits = ops.cast(self.token_embedding(self.norm(x), reverse=True), "float32")
        losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        is_token = ops.cast(ops.not_equal(labels, self.token_embedding.padding_id), "float32")
        return ops.sum(losses * is_token) / ops.maximum(ops.sum(is_token), 1.0)
