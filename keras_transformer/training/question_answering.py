from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_transformer.models.question_answer_encoder import QuestionAnswerEncoder
from keras_transformer.training.objectives import ResponseRanking
from keras_transformer.types import Config, Shape, Tensor


class QuestionAnswerRanking(ResponseRanking):
    """Each question must find its own response among all responses of the batch, by the vectors of a dual encoder.

    The `ResponseRanking` of what a `QuestionAnswerEncoder`'s two networks make of the vectors of its encoder. The
    networks are trained as the objective's own; the encoder is not part of it.

    Args:
        model: a `QuestionAnswerEncoder` with one encoder for all texts.
        scale: of the cosines; the inverse of the softmax' temperature.
        margin: additive margin, which the right response must be ahead by.
        symmetric: rank questions for each response as well.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: a list of (B, E), as the encoder gives them: questions, responses and, unless there are none, the
            responses' contexts. Without contexts zeros stand in their place, the vectors of texts without tokens.
        keys: integer (B, 1 + number of vectors), as of `ResponseRanking`; those of contexts do not count. The same
            response in two contexts is no wrong one.

    Returns:
        The mean loss, a float32 scalar.

    Raises:
        ValueError: for another model, or one with two encoders; for a scale of 0 or less and a negative margin; for
            another number of vectors.

    References:
        Yang et al., 2019, "Multilingual Universal Sentence Encoder for Semantic Retrieval"; Yang et al., 2019,
        "Improving Multilingual Sentence Embedding using Bi-directional Dual Encoder with Additive Margin Softmax".

    Example:
        >>> model = keras_transformer.models.QuestionAnswerEncoder.from_preset("tiny", 50, hidden_dim=8, output_dim=6)
        >>> objective = keras_transformer.training.QuestionAnswerRanking(model)
        >>> questions, responses, contexts = np.ones((3, 2, 512), "float32")
        >>> loss = objective([questions, responses, contexts], np.arange(8).reshape(2, 4))
        >>> loss.shape, len(objective.trainable_variables)
        (TensorShape([]), 4)
    """

    def __init__(
        self,
        model: QuestionAnswerEncoder,
        scale: float = 20.0,
        margin: float = 0.0,
        symmetric: bool = True,
        **kwargs: Any,
    ):
        super().__init__(scale=scale, margin=margin, symmetric=symmetric, **kwargs)
        if not isinstance(model, QuestionAnswerEncoder):
            raise ValueError(f"Expected a QuestionAnswerEncoder. Received: {type(model).__name__}")
        if model.response_encoder is not model.encoder:
            raise ValueError(
                "Expected a QuestionAnswerEncoder with one encoder for all texts. Received: one with a "
                f"response_encoder of its own, {model.response_encoder.name!r}"
            )
        self.networks = model.networks
        # Methods, since the model in an attribute would make its encoder a part of this layer.
        self._questions_of, self._responses_of = model.questions_of, model.responses_of

    def build(self, vectors_shape: Sequence[Shape], keys_shape: Shape | None = None) -> None:
        if len(vectors_shape) not in (2, 3):
            raise ValueError(
                "Expected vectors of questions, of responses and, if there are any, of contexts. "
                f"Received: {len(vectors_shape)} of them"
            )
        super().build(vectors_shape, keys_shape)

    def call(self, vectors: Sequence[Tensor], keys: Tensor, training: bool | None = None) -> Tensor:
        questions, responses, *contexts = vectors
        context = contexts[0] if contexts else ops.zeros_like(responses)
        return super().call([self._questions_of(questions), self._responses_of(responses, context)], keys[:, :3])

    def is_of(self, model: QuestionAnswerEncoder) -> bool:
        """Whether this trains the networks of `model`."""
        return all(ours is theirs for ours, theirs in zip(self.networks, model.networks))

    def get_config(self) -> Config:
        """The ranking's own arguments; the model is none of them."""
        config = super().get_config()
        del config["response_network"]
        return config
