from collections.abc import Sequence

import keras
import tensorflow as tf

from keras_transformer.pipelines.embedding import ids_and_lengths
from keras_transformer.pipelines.embedding_of_answers import EmbedsQuestionsAndResponses
from keras_transformer.pipelines.encoder_pipeline import EncoderPipeline
from keras_transformer.pipelines.signatures import (
    STRINGS,
    ExportFunctions,
    Requests,
    check_rows,
    lengths_signature,
    traced,
)
from keras_transformer.text.tokenizer import as_strings
from keras_transformer.types import Tensor

_INPUT, _CONTEXT = (tf.TensorSpec([None], tf.string, name=name) for name in ("input", "context"))


@keras.saving.register_keras_serializable(package="keras_transformer")
class QuestionAnswerEmbedder(EmbedsQuestionsAndResponses, EncoderPipeline):
    """Questions, and responses with their contexts, to unit vectors: the inner product ranks the responses.

        scores = embedder.embed_questions(questions) @ embedder.embed_responses(texts, contexts).T

    Args:
        encoder: a `keras_transformer.models.QuestionAnswerEncoder`, or another model with its `encode_questions`,
            `encode_responses` and `output_dim`.
        tokenizer: of all texts.
        max_length: longer texts, and longer contexts, are truncated to so many tokens.
        name: the model's name.

    Call arguments:
        inputs: questions (N,): a list of `str` or a string tensor.
        training: whether dropout is active.

    Returns:
        (N, D), float32, of length 1. A question without tokens (empty, blanks) gives the zero vector.

    Exported signatures, inputs -> outputs, as TF Hub's universal-sentence-encoder-qa modules have them; the exported
    object itself, called, gives the vectors of questions:
        - "question_encoder": input, strings (N,) -> outputs, float32 (N, D).
        - "response_encoder": input, context, strings (N,) both -> outputs, float32 (N, D).
        - "lengths": inputs, strings (N,) -> outputs, int64 (N,), the tokens of each text, and longest, int64 (N,):
          what is beyond so many is not embedded.

    Raises:
        ValueError: for inputs that are not a list or vector of strings, and a `max_length` below 1.

    References:
        Yang et al., 2019, "Multilingual Universal Sentence Encoder for Semantic Retrieval".

    Example:
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> shared = keras_transformer.models.SentenceEncoder(
        ...     tokenizer.vocabulary_size, num_layers=1, hidden_dim=8, intermediate_dim=16, num_heads=2, output_dim=4
        ... )
        >>> encoder = keras_transformer.models.QuestionAnswerEncoder(shared, hidden_dim=32, output_dim=16)
        >>> embedder = keras_transformer.QuestionAnswerEmbedder(encoder, tokenizer)
        >>> responses = embedder.embed_responses(["Seven.", "In Seoul."], ["A week has seven days.", ""])
        >>> (embedder.embed_questions(["How many days has a week?"]) @ responses.T).shape
        (1, 2)
    """

    @property
    def output_dim(self) -> int:
        """The width D of the vectors."""
        return self.encoder.output_dim

    def call(self, inputs: Tensor, training: bool | None = None) -> tf.Tensor:
        return self._questions(inputs, training)[0]

    def calibrate(self, texts: Tensor) -> None:
        self._questions(texts, False)
        self._responses(texts, texts, False)

    def _embed_questions(self, texts):
        graph = self._graph(lambda texts: self._questions(texts, False), [STRINGS], "questions")
        return [x.numpy() for x in graph(tf.constant(texts))]

    def _embed_responses(self, texts, contexts=None):
        contexts = [b""] * len(texts) if contexts is None else contexts
        graph = self._graph(lambda *columns: self._responses(*columns, False), [_INPUT, _CONTEXT], "responses")
        return [x.numpy() for x in graph(tf.constant(texts), tf.constant(contexts))]

    def _questions(self, texts, training=None):
        """The vectors of questions (N,), and how many tokens each had before it was truncated."""
        ids, lengths = ids_and_lengths(self.tokenizer, texts, self.max_length)
        return self._from_ids(ids, training), lengths

    def _responses(self, texts, contexts, training=None):
        """The vectors of responses (N,), and how many tokens the longer of text and context had."""
        ids, lengths = ids_and_lengths(self.tokenizer, texts, self.max_length)
        context_ids, context_lengths = ids_and_lengths(self.tokenizer, contexts, self.max_length)
        return self._of_responses(ids, context_ids, training), tf.maximum(lengths, context_lengths)

    def _of_responses(self, ids, context_ids, training=None):
        return tf.cast(self.encoder.encode_responses(ids, context_ids, training=training), tf.float32)

    def _from_ids(self, ids, training=None):
        return tf.cast(self.encoder.encode_questions(ids, training=training), tf.float32)

    def export_functions(self, trainable: bool) -> ExportFunctions:
        questions = self._sliced(lambda ids: self._from_ids(ids, False), 1, trainable)
        responses = self._sliced(lambda ids, contexts: self._of_responses(ids, contexts, False), 2, trainable)
        embed = traced(STRINGS)(lambda inputs: questions(self._tokens_in_chunks(inputs)))

        def response_encoder(input, context):
            contexts = check_rows("contexts", context, input)
            return {"outputs": responses(self._tokens_in_chunks(input), self._tokens_in_chunks(contexts))}

        signatures = {
            "question_encoder": traced(_INPUT)(lambda input: {"outputs": embed(input)}),
            "response_encoder": traced(_INPUT, _CONTEXT)(response_encoder),
            "lengths": lengths_signature(self.num_tokens, self.max_length),
        }
        return self._root_functions(embed, trainable), signatures

    def warmup_requests(self, texts: Sequence[str]) -> Requests:
        strings = as_strings(texts)
        return {
            "question_encoder": {"input": strings},
            "response_encoder": {"input": strings, "context": strings},
            "lengths": {"inputs": strings},
        }
