from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import Dropout, SegmentEmbedding
from keras_transformer.models.bert_encoder import BertEncoder
from keras_transformer.models.composed_model import serialize_encoder
from keras_transformer.models.encoder_model import EncoderModel
from keras_transformer.models.sentence_encoder import SentenceEncoder
from keras_transformer.types import Config, DType, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class CrossEncoder(EncoderModel):
    """A pair of texts, read together by one encoder, to scores: attention goes from each of the texts to the other.

        scores = classifier(dropout(hidden(encoder(ids of both, with segments))))

    A dual encoder compares vectors that were made apart, and can search; this one reads each pair anew, and knows more.

    Args:
        encoder: a `SentenceEncoder` or a `BertEncoder`, trained or not. Its vector of the pair is what the scores are
            made of: pooled as it pools, with its projections. BERT's own classifier has the pooling "first" and a
            projection with tanh, and does not normalize.
        num_labels: 1 for a score, or the number of classes.
        hidden_dim: width of a hidden layer with tanh; `None` for none.
        dropout: rate before the last layer.
        name: the model's name.
        dtype: dtype or dtype policy of what is on top of the encoder; by default the global one.

    Call arguments:
        inputs: {"ids", "segment_ids"}: integers (B, T): both texts, with the ids that separate them; and 0 in the
            first, 1 in the second.
        training: whether dropout is active.

    Returns:
        Logits (B, num_labels), float32.

    Raises:
        ValueError: for another encoder, sizes below 1, and rates out of range.

    References:
        Devlin et al., 2019, "BERT", section 4.1; Nogueira and Cho, 2019, "Passage Re-ranking with BERT".

    Example:
        >>> model = keras_transformer.models.CrossEncoder.from_preset("tiny", 50, num_labels=3)
        >>> ids, segment_ids = np.array([[2, 7, 3, 8, 9, 3]]), np.array([[0, 0, 0, 1, 1, 1]])
        >>> model({"ids": ids, "segment_ids": segment_ids}).shape
        TensorShape([1, 3])
    """

    def __init__(
        self,
        encoder: SentenceEncoder | BertEncoder,
        num_labels: int = 1,
        hidden_dim: int | None = None,
        dropout: float = 0.1,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        # Layers
        if not isinstance(encoder, SentenceEncoder | BertEncoder):
            raise ValueError(f"Expected a SentenceEncoder or a BertEncoder. Received: {type(encoder).__name__}")
        dtype = keras.dtype_policies.get(dtype)
        self.encoder = encoder
        self.segment_embedding = SegmentEmbedding(dtype=encoder.dtype_policy, name="segment_embedding")
        self.hidden = None
        if arguments.optional_positive_integer("hidden_dim", hidden_dim):
            self.hidden = keras.layers.Dense(hidden_dim, "tanh", dtype=dtype, name="hidden")
        self.classifier_dropout = Dropout(arguments.rate("dropout", dropout), dtype=dtype, name="classifier_dropout")
        num_labels = arguments.positive_integer("num_labels", num_labels)
        self.classifier = keras.layers.Dense(num_labels, dtype=dtype, name="classifier")
        # Numbers of about 1: those of a unit vector of width D are of about D^-0.5.
        self._scale = encoder.output_shape[-1] ** 0.5 if encoder.unit_normalization else None

        # Functional graph
        inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in ("ids", "segment_ids")}
        super().__init__(inputs=inputs, outputs=self.logits(**inputs), name=name)

    @classmethod
    def from_preset(cls, name: str, vocabulary_size: int, **kwargs: Any) -> "CrossEncoder":
        """A new model, with random weights, on a `SentenceEncoder` of the size called `name`.

        Args:
            name: "tiny", "small", "base" or "big" (`keras_transformer.models.PRESETS`).
            vocabulary_size: number of token ids V.
            **kwargs: constructor arguments.

        Raises:
            ValueError: for an unknown name.
        """
        return cls(SentenceEncoder.from_preset(name, vocabulary_size), **kwargs)

    @property
    def num_labels(self) -> int:
        """The number of scores of a pair."""
        return self.classifier.units

    def logits(self, ids: Tensor, segment_ids: Tensor, training: bool | None = None, unpadding: bool = False) -> Tensor:
        """Ids and segments (B, T) of pairs to logits (B, num_labels), float32."""
        tokens = self.encoder.encode(ids, training, unpadding, lambda x: self.segment_embedding(x, segment_ids))
        x = self.encoder.pool(tokens)
        x = x * self._scale if self._scale else x
        x = self.hidden(x) if self.hidden else x
        return ops.cast(self.classifier(self.classifier_dropout(x, training=training)), "float32")

    def call_unpadded(self, inputs: dict[str, Tensor], training: bool | None) -> Tensor:
        return self.logits(**inputs, training=training, unpadding=True)

    def get_config(self) -> Config:
        return {**super().get_config(), "encoder": serialize_encoder(self.encoder)}

    @classmethod
    def from_config(cls, config: Config, custom_objects: dict | None = None) -> "CrossEncoder":
        encoder = keras.saving.deserialize_keras_object(config["encoder"], custom_objects)
        return super().from_config({**config, "encoder": encoder}, custom_objects)
