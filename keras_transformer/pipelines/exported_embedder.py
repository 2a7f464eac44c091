import tensorflow as tf

from keras_transformer.pipelines.embedding import EmbedsTexts
from keras_transformer.pipelines.exported import ExportedPipeline, is_vectors


class ExportedEmbedder(EmbedsTexts, ExportedPipeline):
    """A SavedModel from strings to vectors, called as a `TextEmbedder` is.

    It runs what `TextEmbedder.export` wrote, or another project's SavedModel, TF-Hub's universal sentence encoders
    among them: its signature "serving_default", if that takes one vector of strings and gives one matrix, else its
    root.

    Args:
        path: the folder of the SavedModel.

    Attributes:
        output_dim: the width D of the vectors.
        max_length: texts of more tokens are cut, as its signature "lengths" tells; `None` if it has none.

    Call arguments:
        inputs: strings (N,): a list of `str` or a string tensor.

    Returns:
        (N, D), floating, as the model gives it.

    Raises:
        FileNotFoundError: if there is no SavedModel.
        OSError: for a file that may not be read.
        ValueError: if it is damaged, with the file; if it does not go from strings to vectors.
    """

    def __init__(self, path):
        super().__init__(path, "vectors", is_vectors)
        self.max_length = self._longest
        self.output_dim = self._width(path)

    def num_tokens(self, texts):
        """As `TextEmbedder.num_tokens`, where `max_length` is known."""
        return self._num_tokens(texts)

    def _embed_batch(self, texts):
        texts = tf.constant(texts)
        lengths = None if self.max_length is None else self._num_tokens(texts).numpy()
        return tf.cast(self._function(texts), tf.float32).numpy(), lengths

    def _width(self, path):
        """What the specs of another project's model may leave open, a call tells."""
        expected = f"Expected a SavedModel from strings (N,) to vectors (N, D) in {path}. Received"
        try:
            vectors = self(["a", "b"])
        except (TypeError, ValueError, tf.errors.OpError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ValueError(f"{expected}: one that does not take them ({reason})") from error
        if not tf.is_tensor(vectors):
            raise ValueError(f"{expected}: {type(vectors).__name__} for 2 strings")
        if not is_vectors(vectors) or vectors.shape[0] != 2:
            raise ValueError(f"{expected}: {vectors.dtype.name} {vectors.shape} for 2 strings")
        return vectors.shape[1]
