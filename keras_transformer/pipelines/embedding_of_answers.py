"""Any number of questions and responses to vectors."""

from collections.abc import Iterable

import numpy as np

from keras_transformer.pipelines.embedding import as_array, progress_bar
from keras_transformer.pipelines.streaming import Limit, in_batches, text_rows


class EmbedsQuestionsAndResponses:
    """What a question-answer embedder offers beside a call, here and exported.

    A subclass has `output_dim`, `max_length`, and `_embed_questions` and `_embed_responses` of one batch: its vectors,
    and the number of tokens of each row or `None`.
    """

    def embed_questions(self, texts: Iterable[str], batch_size: int = 32, show_progress: bool = False) -> np.ndarray:
        """The vectors of any number of questions.

        Args:
            texts: an iterable of `str`.
            batch_size: texts that are embedded at once.
            show_progress: draw a bar, as `predict` does.

        Returns:
            (N, D), float32. A warning says which texts were truncated, counted from 1, and how many.

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
        """The vectors of any number of responses, each the answer itself and the text around it.

        Args:
            texts: an iterable of `str`.
            contexts: an iterable of as many `str`; by default they are empty.
            batch_size: as for `embed_questions`.
            show_progress: as for `embed_questions`.

        Returns:
            (N, D), float32; zero where both text and context are without tokens. A warning names truncated ones.

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
