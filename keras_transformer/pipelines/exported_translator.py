from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from keras_transformer.pipelines.exported import ExportedPipeline, LoadedExport, is_strings
from keras_transformer.pipelines.streaming import Limit, in_batches, text_rows
from keras_transformer.types import PathLike, Tensor, Texts

_ALIGNMENT = {"source_tokens", "target_tokens", "weights"}


class ExportedTranslator(ExportedPipeline):
    """A SavedModel from strings to strings, called as a `Translator` is.

    It runs what `Translator.export` wrote, and SavedModels of other projects. The signature "serving_default" is
    called; without one, the root. The search is fixed in the graph.

    Args:
        path: the folder of the SavedModel.

    Attributes:
        path: the folder of the SavedModel.
        max_source_length: sources of more tokens are truncated, as the signature "lengths" tells; `None` if there is
            none.

    Call arguments:
        inputs: strings (N,): a list of `str` or a string tensor.

    Returns:
        A string tensor (N,).

    Raises:
        FileNotFoundError: if there is no SavedModel.
        OSError: for a file that may not be read.
        ValueError: if it is damaged, with the file; if it does not go from strings to strings.

    Example:
        >>> import tensorflow as tf
        >>> module = tf.Module()
        >>> module.__call__ = tf.function(tf.strings.upper, input_signature=[tf.TensorSpec([None], tf.string)])
        >>> tf.saved_model.save(module, str(tmp_path / "1"))
        >>> list(keras_transformer.pipelines.ExportedTranslator(tmp_path / "1").translate(["a dog", "a cat"]))
        ['A DOG', 'A CAT']
    """

    results, is_result = "strings", staticmethod(is_strings)

    def __init__(self, path: PathLike | LoadedExport):
        super().__init__(path)
        self.max_source_length = self._longest

    def num_source_tokens(self, texts: Texts) -> Tensor:
        """As `Translator.num_source_tokens`, where `max_source_length` is known."""
        return self._num_tokens(texts)

    def translate(self, texts: Iterable[str], batch_size: int = 32) -> Iterator[str]:
        """Translates an iterable of `str`, however long, in constant memory, as `Translator.translate` does.

        Args:
            texts: an iterable of `str`, a file of lines for example.
            batch_size: sentences that are translated at once.

        Yields:
            One `str` for each text.

        Raises:
            ValueError: for a batch size below 1, and a single string.
        """
        limit = Limit("max_source_length", self.max_source_length, "translated")
        return in_batches(text_rows(texts=texts), batch_size, self._translate_batch, limit)

    def _translate_batch(self, texts):
        texts = tf.constant(texts)
        lengths = None if self.max_source_length is None else self._num_tokens(texts).numpy()
        return [translation.decode("utf-8", "replace") for translation in self(texts).numpy()], lengths

    def attention(self, text: str) -> tuple[list[str], list[str], np.ndarray]:
        """The cross-attention of one translation: the last layer's mean over its heads, from the signature "alignment".

        Args:
            text: a `str`.

        Returns:
            (source pieces, target pieces, weights): the tokens as lists of `str`, and a float32 array (T, S).

        Raises:
            ValueError: for a text without tokens, and a SavedModel without such a signature.
        """
        limit = Limit("max_source_length", self.max_source_length, "translated")
        (found,) = in_batches(text_rows(text=[text]), 1, self._attention, limit)
        return found

    def _attention(self, texts):
        alignment = self._export.signatures.get("alignment")
        if alignment is None or not _ALIGNMENT.issubset(alignment.structured_outputs):
            raise ValueError(
                f'Expected a SavedModel with a signature "alignment" to {sorted(_ALIGNMENT)}. Received: none'
            )
        inputs = tf.constant(texts)
        found = {name: value.numpy()[0] for name, value in alignment(inputs=inputs).items()}
        # Rows of padding are zero.
        is_token = np.any(found["weights"] > 0, axis=1)
        if not is_token.any():
            raise ValueError(f"Expected a text with tokens. Received: {texts[0].decode('utf-8', 'replace')!r}")
        source, target = (
            [piece.decode("utf-8", "replace") for piece in pieces]
            for pieces in (found["source_tokens"], found["target_tokens"][is_token])
        )
        lengths = None if self.max_source_length is None else self._num_tokens(inputs).numpy()
        return [(source, target, found["weights"][is_token])], lengths
