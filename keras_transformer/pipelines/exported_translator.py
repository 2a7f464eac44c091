import tensorflow as tf

from keras_transformer.pipelines.exported import ExportedPipeline, is_strings
from keras_transformer.pipelines.streaming import Limit, in_batches, text_rows


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
        OSError: for a file that may not be read.
        ValueError: if it is damaged, with the file; if it does not go from strings to strings.
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
