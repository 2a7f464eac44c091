from typing import Any

import keras

from keras_transformer import arguments
from keras_transformer.layers import UnitNormalization
from keras_transformer.models.composed_model import ComposedModel, serialize_encoder
from keras_transformer.models.sentence_encoder import SentenceEncoder
from keras_transformer.types import Activation, Config, DType, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class QuestionAnswerEncoder(ComposedModel):
    """A dual encoder: questions and responses as unit vectors, whose inner product says how well they fit.

    A response is its text, the answer itself, and the context that it stands in:

        question = unit(network_q(encoder(question)))
        response = unit(network_r([encoder(text), encoder(context)]))

    One encoder for all texts, as in the paper, or one for each side; a feed-forward network for each side. The
    networks have no biases, so that nothing, neither text nor context, stays the zero vector.

    Args:
        encoder: a model from token ids (B, T) to vectors (B, E): a `SentenceEncoder`, trained or not.
        response_encoder: another one, for the texts and contexts of responses; by default the same.
        hidden_dim: width of the hidden layer of both networks.
        output_dim: width D of the vectors.
        activation: of the hidden layers.
        name: the model's name.
        dtype: dtype or dtype policy of the networks; by default the global one.

    Call arguments:
        inputs: {"question_ids", "response_ids", "context_ids"}: integer ids, (B, T) each, T as it comes.
        training: whether dropout is active.

    Returns:
        {"questions": (B, D), "responses": (B, D)}, float32, of length 1 or, for nothing, 0.

    Raises:
        ValueError: for sizes below 1, and an encoder that does not give one vector a text.

    References:
        Yang et al., 2019, "Multilingual Universal Sentence Encoder for Semantic Retrieval"; Chidambaram et al., 2019,
        "Learning Cross-Lingual Sentence Representations via a Multi-task Dual-Encoder Model". Their networks have
        biases.

    Example:
        >>> model = keras_transformer.models.QuestionAnswerEncoder.from_preset("tiny", 50, hidden_dim=8, output_dim=6)
        >>> ids = np.array([[5, 6, 7]])
        >>> vectors = model({"question_ids": ids, "response_ids": ids, "context_ids": ids})
        >>> vectors["questions"].shape
        TensorShape([1, 6])
    """

    def __init__(
        self,
        encoder: keras.Model,
        response_encoder: keras.Model | None = None,
        hidden_dim: int = 512,
        output_dim: int = 512,
        activation: Activation = "tanh",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        # Layers
        dtype = keras.dtype_policies.get(dtype)
        self.encoder = _check(encoder)
        self.response_encoder = encoder if response_encoder is None else _check(response_encoder)
        dense = {"use_bias": False, "dtype": dtype}
        arguments.positive_integer("hidden_dim", hidden_dim)
        arguments.positive_integer("output_dim", output_dim)
        self.question_hidden = keras.layers.Dense(hidden_dim, activation, name="question_hidden", **dense)
        self.question_projection = keras.layers.Dense(output_dim, name="question_projection", **dense)
        self.response_parts = keras.layers.Concatenate(dtype=dtype, name="response_parts")
        self.response_hidden = keras.layers.Dense(hidden_dim, activation, name="response_hidden", **dense)
        self.response_projection = keras.layers.Dense(output_dim, name="response_projection", **dense)
        self.unit_normalization = UnitNormalization(dtype=dtype, name="unit_normalization")

        # Functional graph
        inputs = {
            name: keras.Input((None,), dtype="int32", name=name)
            for name in ("question_ids", "response_ids", "context_ids")
        }
        super().__init__(
            inputs=inputs,
            outputs={
                "questions": self.encode_questions(inputs["question_ids"]),
                "responses": self.encode_responses(inputs["response_ids"], inputs["context_ids"]),
            },
            name=name,
        )

    @classmethod
    def from_preset(cls, name: str, vocabulary_size: int, **kwargs: Any) -> "QuestionAnswerEncoder":
        """A new model, with random weights, on one `SentenceEncoder` of the size called `name`.

        Args:
            name: "tiny", "small", "base" or "big" (`keras_transformer.models.PRESETS`).
            vocabulary_size: number of token ids V.
            **kwargs: constructor arguments.

        Raises:
            ValueError: for an unknown name.
        """
        return cls(SentenceEncoder.from_preset(name, vocabulary_size), **kwargs)

    @property
    def output_dim(self) -> int:
        """The width D of the vectors."""
        return self.constructor_arguments["output_dim"]

    @property
    def networks(self) -> list[keras.layers.Layer]:
        """The layers with weights beside the encoders: those of questions, then those of responses."""
        return [self.question_hidden, self.question_projection, self.response_hidden, self.response_projection]

    def encode_questions(self, ids: Tensor, training: bool | None = None) -> Tensor:
        """Ids (B, T) to unit vectors (B, D)."""
        return self.questions_of(self.encoder(ids, training=training))

    def encode_responses(self, ids: Tensor, context_ids: Tensor, training: bool | None = None) -> Tensor:
        """Ids (B, T) of texts and (B, S) of their contexts to unit vectors (B, D)."""
        return self.responses_of(*(self.response_encoder(part, training=training) for part in (ids, context_ids)))

    def questions_of(self, encoded: Tensor) -> Tensor:
        """What the encoder gives for questions (B, E), to unit vectors (B, D)."""
        return self.unit_normalization(self.question_projection(self.question_hidden(encoded)))

    def responses_of(self, encoded: Tensor, encoded_contexts: Tensor) -> Tensor:
        """What the encoder gives for texts and for their contexts (B, E), to unit vectors (B, D)."""
        parts = self.response_parts([encoded, encoded_contexts])
        return self.unit_normalization(self.response_projection(self.response_hidden(parts)))

    def get_config(self) -> Config:
        own = None if self.response_encoder is self.encoder else self.response_encoder
        encoders = {"encoder": serialize_encoder(self.encoder), "response_encoder": own and serialize_encoder(own)}
        return {**super().get_config(), **encoders}

    @classmethod
    def from_config(cls, config: Config, custom_objects: dict | None = None) -> "QuestionAnswerEncoder":
        encoders = {
            name: config[name] and keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("encoder", "response_encoder")
        }
        return super().from_config({**config, **encoders}, custom_objects)


def _check(encoder):
    if len(encoder.output_shape) != 2 or encoder.output_shape[-1] is None:
        raise ValueError(
            f"Expected an encoder from ids (B, T) to vectors (B, E). Received: output_shape={encoder.output_shape}"
        )
    return encoder
