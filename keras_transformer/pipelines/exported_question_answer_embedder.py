import numpy as np
import tensorflow as tf

from keras_transformer.pipelines.embedding_of_answers import EmbedsQuestionsAndResponses
from keras_transformer.pipelines.exported import ExportedPipeline, LoadedExport, is_vectors
from keras_transformer.pipelines.exported_embedder import vector_width
from keras_transformer.types import PathLike, Tensor, Texts


class ExportedQuestionAnswerEmbedder(EmbedsQuestionsAndResponses, ExportedPipeline):
    """A SavedModel of questions and responses, called as a `QuestionAnswerEmbedder` is.

    It runs what `QuestionAnswerEmbedder.export` wrote, and other SavedModels with the signatures "question_encoder"
    and "response_encoder", as TF-Hub's universal-sentence-encoder-qa modules have them.

    Args:
        path: the folder of the SavedModel.

    Attributes:
        path: the folder of the SavedModel.
        output_dim: the width D of the vectors.
        max_length: texts of more tokens are truncated, as the signature "lengths" tells; `None` if there is none.

    Call arguments:
        inputs: questions (N,): a list of `str` or a string tensor.

    Returns:
        (N, D), float32.

    Raises:
        FileNotFoundError: if there is no SavedModel.
        OSError: for a file that may not be read.
        ValueError: if it is damaged, with the file; if it has no such signatures.

    Example:
        >>> from keras_transformer.models import DeepAveragingNetwork, QuestionAnswerEncoder
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> encoder = DeepAveragingNetwork(tokenizer.vocabulary_size, hidden_dim=8, output_dim=6, num_layers=1)
        >>> encoder = QuestionAnswerEncoder(encoder, hidden_dim=8, output_dim=6)
        >>> embedder = keras_transformer.QuestionAnswerEmbedder(encoder, tokenizer)
        >>> embedder.export(tmp_path / "1", warmup_texts=())
        >>> exported = keras_transformer.pipelines.ExportedQuestionAnswerEmbedder(tmp_path / "1")
        >>> questions = exported.embed_questions(["How old are you?"])
        >>> responses = exported.embed_responses(["I am five.", "It is red."])
        >>> (questions @ responses.T).shape
        (1, 2)
    """

    results, is_result = "vectors", staticmethod(is_vectors)
    _signature = "question_encoder"

    def __init__(self, path: PathLike | LoadedExport):
        super().__init__(path)
        self._responses = self._export.function("response_encoder")
        self.max_length = self._longest
        self.output_dim = vector_width(self, self.path)

    @classmethod
    def fits(cls, export: LoadedExport) -> bool:
        return "response_encoder" in export.signatures and super().fits(export)

    def num_tokens(self, texts: Texts) -> Tensor:
        """As `QuestionAnswerEmbedder.num_tokens`, where `max_length` is known."""
        return self._num_tokens(texts)

    def _embed_questions(self, texts):
        return self(texts).numpy(), self._most_tokens(texts)

    def _embed_responses(self, texts, contexts=None):
        contexts = [b""] * len(texts) if contexts is None else contexts
        outputs = self._responses({"input": tf.constant(texts), "context": tf.constant(contexts)})
        return outputs["outputs"].numpy(), self._most_tokens(texts, contexts)

    def _most_tokens(self, *columns):
        """How many tokens the longest text of each row has; `None` if that is not known."""
        if self.max_length is None:
            return None
        return np.max([self._num_tokens(texts).numpy() for texts in columns], axis=0)
