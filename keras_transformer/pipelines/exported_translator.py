import numpy as np
import tensorflow as tf

from keras_transformer.pipelines.exported import ExportedPipeline, is_strings
from keras_transformer.pipelines.streaming import Limit, in_batches, text_rows

_ALIGNMENT = {"source_tokens", "target_tokens", "weights"}


class ExportedTranslator(ExportedPipeline):
    """A SavedModel from strings to strings, called as a `Translator` is.

    It runs what `Translator.export` wrote, or another project's SavedModel: its signature "serving_default", if that
    takes one vector of strings and gives one, else its root. How it searches is fixed in its graph.

    Args:
        path: the folder of the SavedModel.

    Attributes:
        max_source_length: sources of more tokens are cut, as its signature "lengths" tells; `None` if it has none.

    Call arguments:
        inputs: strings (N,): a list of `str` or a string tensor.

    Returns:
        A string tensor (N,).

    Raises:
        FileNotFoundError: if there is no SavedModel.
        ValueError: if it does not go from strings to strings.
    """

    def __init__(self, path):
        super().__init__(path, "strings", is_strings)
        self.max_source_length = self._longest

    def num_source_tokens(self, texts):
        """As `Translator.num_source_tokens`, where `max_source_length` is known."""
        return self._num_tokens(texts)

    def translate(self, texts, batch_size=32):
        """As `Translator.translate`: an iterable of `str`, however long, in constant memory.

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

    def attention(self, text):
        """As `Translator.attention`, of the last layer's mean over its heads: what the signature "alignment" gives.

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
        alignment = getattr(self._root, "signatures", {}).get("alignment")
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
