from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from keras_transformer.pipelines.embedding import as_array, progress_bar
from keras_transformer.pipelines.exported import ExportedPipeline, LoadedExport, is_vectors
from keras_transformer.pipelines.exported_embedder import vector_width
from keras_transformer.pipelines.streaming import Limit, in_batches, text_rows
from keras_transformer.types import PathLike, Tensor, Texts


class ExportedQuestionAnswerEmbedder(ExportedPipeline):
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

    def embed_questions(self, texts: Iterable[str], batch_size: int = 32, show_progress: bool = False) -> np.ndarray:
        """As `QuestionAnswerEmbedder.embed_questions`: the vectors of any number of questions, (N, D).

        Args:
            texts: an iterable of `str`.
            batch_size: texts that are embedded at once.
            show_progress: draw a bar, as `predict` does.

        Raises:
            ValueError: for a batch size below 1, a single string, and what is no string.
        """
        return self._vectors(self._embed_questions, {"texts": texts}, batch_size, show_progress)

    def embed_responses(
        self,
        texts: Iterable[str],
        contexts: Iterable[str] | None = None,
        batch_size: int = 32,
        show_progress: bool = False,
    ) -> np.ndarray:
        """As `QuestionAnswerEmbedder.embed_responses`: the vectors of any number of responses, (N, D).

        Args:
            texts: an iterable of `str`.
            contexts: an iterable of as many `str`; by default they are empty.
            batch_size: texts that are embedded at once.
            show_progress: draw a bar, as `predict` does.

        Raises:
            ValueError: for more or fewer contexts than texts, and as `embed_questions`.
        """
        columns = {"texts": texts} if contexts is None else {"texts": texts, "contexts": contexts}
        return self._vectors(self._embed_responses, columns, batch_size, show_progress)

    def _vectors(self, embed_batch, columns, batch_size, show_progress):
        bar = progress_bar(columns["texts"]) if show_progress else None
        limit = Limit("max_length", self.max_length, "embedded")
        vectors = in_batches(text_rows(**columns), batch_size, embed_batch, limit, bar, stacklevel=5)
        return as_array(vectors, self.output_dim)

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
