import tensorflow as tf

from keras_transformer.pipelines.embedding import EmbedsTexts, known_prompt
from keras_transformer.pipelines.exported import ExportedPipeline, LoadedExport, is_vectors
from keras_transformer.pipelines.signatures import SIGNATURES
from keras_transformer.text.tokenizer import as_strings
from keras_transformer.types import PathLike, Tensor, Texts


class ExportedEmbedder(EmbedsTexts, ExportedPipeline):
    """A SavedModel from strings to vectors, called as a `TextEmbedder` is.

    It runs what `TextEmbedder.export` wrote, and SavedModels of other projects, TF-Hub's universal sentence encoders
    among them. The signature "serving_default" is called; without one, the root.

    Args:
        path: the folder of the SavedModel.

    Attributes:
        path: the folder of the SavedModel.
        output_dim: the width D of the vectors.
        prompts: {role: text}, of which `embed` takes a role; the exports of a `TextEmbedder` with prompts have them.
        max_length: texts of more tokens are truncated, as the signature "lengths" tells; `None` if there is none.

    Call arguments:
        inputs: strings (N,): a list of `str` or a string tensor.

    Returns:
        (N, D), in the SavedModel's own floating dtype.

    Raises:
        FileNotFoundError: if there is no SavedModel.
        OSError: for a file that may not be read.
        ValueError: if it is damaged, with the file; if it does not go from strings to vectors.

    Example:
        >>> from keras_transformer.models import DeepAveragingNetwork
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> encoder = DeepAveragingNetwork(tokenizer.vocabulary_size, hidden_dim=8, output_dim=6, num_layers=1)
        >>> keras_transformer.TextEmbedder(encoder, tokenizer, max_length=30).export(tmp_path / "1", warmup_texts=())
        >>> embedder = keras_transformer.pipelines.ExportedEmbedder(tmp_path / "1")
        >>> embedder.output_dim, embedder.max_length
        (6, 30)
        >>> embedder.embed(["a dog", "a cat", "a dog"]).shape
        (3, 6)
    """

    results, is_result = "vectors", staticmethod(is_vectors)

    def __init__(self, path: PathLike | LoadedExport):
        super().__init__(path)
        self.max_length = self._longest
        self.output_dim = vector_width(self, self.path)
        self.prompts = self._read_prompts()
        self._default_prompt = self.prompts.pop("", "")

    def _read_prompts(self):
        """{role: text}, "" for the default one, where a signature tells; another project's may have the name."""
        signatures = self._export.signatures
        telling = signatures.get("prompts")
        if telling is None or "outputs" not in telling.structured_outputs or self._longest is None:
            return {}
        roles = ["", *(name for name in signatures if name not in SIGNATURES)]
        texts = telling(inputs=tf.constant(roles))["outputs"].numpy()
        return {role: text.decode() for role, text in zip(roles, texts)}

    def num_tokens(self, texts: Texts, prompt: str | None = None) -> Tensor:
        """As `TextEmbedder.num_tokens`, where `max_length` is known."""
        text = self.prompts[known_prompt(self.prompts, prompt)] if prompt is not None else self._default_prompt
        return self._num_tokens(tf.strings.join([text, as_strings(texts)]) if text else texts)

    def of_role(self, inputs: Texts, prompt: str) -> tf.Tensor:
        """As a call, with the prompt of a role."""
        return self._export.signatures[known_prompt(self.prompts, prompt)](inputs=as_strings(inputs))["outputs"]

    def _embed_batch(self, texts, prompt=None):
        texts = tf.constant(texts)
        vectors = self(texts) if prompt is None else self.of_role(texts, prompt)
        lengths = None if self.max_length is None else self.num_tokens(texts, prompt).numpy()
        return tf.cast(vectors, tf.float32).numpy(), lengths


def vector_width(embed: ExportedPipeline, path: str) -> int:
    """The width D of the vectors, which a call tells: another project's specs may leave it open.

    Raises:
        ValueError: if the call fails, or gives anything but one vector for each string.
    """
    expected = f"Expected a SavedModel from strings (N,) to vectors (N, D) in {path}. Received"
    try:
        vectors = embed(["a", "b"])
    except (TypeError, ValueError, tf.errors.OpError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{expected}: one that does not take them ({reason})") from error
    if not tf.is_tensor(vectors):
        raise ValueError(f"{expected}: {type(vectors).__name__} for 2 strings")
    if not is_vectors(vectors) or vectors.shape[0] != 2:
        raise ValueError(f"{expected}: {vectors.dtype.name} {vectors.shape} for 2 strings")
    return vectors.shape[1]
