"""Saved pipelines as Beam's model handlers."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
from apache_beam.metrics import Metrics
from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from keras_transformer import arguments
from keras_transformer.pipelines import load_embedder, load_translator
from keras_transformer.pipelines.streaming import in_length_order
from keras_transformer.types import PathLike

_SORTED_BATCHES = 32  # whose texts are sorted by length together


class Refused(NamedTuple):
    """What stands for the result of a text that the model refused, with the reason."""

    reason: str


class PipelineHandler(ModelHandler[str, PredictionResult, Any]):
    """A saved pipeline of texts for Beam's `RunInference`.

    Beam collects `32 * batch_size` texts of a bundle; they are sorted by length and go through the model in batches of
    `batch_size`. A subclass has `load_model`, and the methods `results` and `num_tokens`.

    Args:
        model: the path of a saved pipeline on every worker.
        batch_size: texts that go through the model at once.
        namespace: of the metrics.

    Raises:
        ValueError: for a batch size below 1.
    """

    def __init__(self, model: PathLike, batch_size: int = 32, namespace: str = "keras_transformer"):
        self.model, self.namespace = str(model), namespace
        self.batch_size = arguments.positive_integer("batch_size", batch_size)
        size = self.batch_size * _SORTED_BATCHES
        super().__init__(min_batch_size=size, max_batch_size=size)
        self.truncated = Metrics.counter(namespace, "truncated_texts")

    def results(self, model: Any, texts: list[str]) -> Iterable[Any]:
        """A result for each of at most `batch_size` texts."""
        raise NotImplementedError

    def num_tokens(self, model: Any, texts: list[str]) -> tuple[Any, int | None]:
        """(the number of tokens of each text, how many of them the model takes); the latter is `None` if unknown."""
        raise NotImplementedError

    def run_inference(
        self, batch: Sequence[str], model: Any, inference_args: dict[str, Any] | None = None
    ) -> Iterator[PredictionResult]:
        """Yields a `PredictionResult` for each text, in their order: the text, what the model gives, its path."""
        results = in_length_order(batch, self.batch_size, lambda texts: self._batch_results(model, texts))
        for text, result in zip(batch, results):
            yield PredictionResult(text, result, self.model)

    def get_metrics_namespace(self) -> str:
        return self.namespace

    def _batch_results(self, model, texts):
        try:
            with warnings.catch_warnings():
                # Beam counts them. Numbers of texts in a batch say nothing.
                warnings.filterwarnings("ignore", message=".* texts have more than ")
                results = list(self.results(model, texts))
        except tf.errors.InvalidArgumentError as error:
            if len(texts) == 1:
                return [Refused(f"Expected a text that the model takes. Received: {_told(error)}")]
            # One text may spoil a batch: each is tried alone.
            return [result for text in texts for result in self._batch_results(model, [text])]
        self._count_truncated(model, texts)
        return results

    def _count_truncated(self, model, texts):
        lengths, limit = self.num_tokens(model, texts)
        if limit is not None:
            self.truncated.inc(int((lengths > limit).sum()))


def _told(error):
    """What an operation says, of all that TensorFlow says about where it stands in a graph."""
    around = ("Graph execution error", "Detected at node", "<stack traces", " ", "\t")
    lines = [line for line in error.message.splitlines() if line and not line.startswith(around)]
    return lines[0] if lines else type(error).__name__


class EmbedderHandler(PipelineHandler):
    """A saved embedder for Beam's `RunInference`, of which `EmbedText` is made.

    With `KeyedModelHandler(EmbedderHandler(model))` and the like it is used as any of Beam's handlers.

    Args:
        model: the path of what `load_embedder` opens, on every worker.
        batch_size: texts that go through the model at once.
        namespace: of the metrics.

    Returns:
        `PredictionResult`: `example` is the text, `inference` its vector, float32 (D,), `model_id` the path.

    Raises:
        ValueError: for a batch size below 1.

    Example:
        >>> from keras_transformer.beam import EmbedderHandler
        >>> from keras_transformer.models import DeepAveragingNetwork
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> encoder = DeepAveragingNetwork(tokenizer.vocabulary_size, hidden_dim=8, output_dim=6, num_layers=1)
        >>> keras_transformer.TextEmbedder(encoder, tokenizer).save(tmp_path / "embedder.keras")
        >>> handler = EmbedderHandler(tmp_path / "embedder.keras")
        >>> [result] = handler.run_inference(["a dog"], handler.load_model())
        >>> result.example, result.inference.shape
        ('a dog', (6,))
    """

    def load_model(self) -> Any:
        return load_embedder(self.model)

    def results(self, model: Any, texts: list[str]) -> Iterable[Any]:
        return model.embed(texts, self.batch_size)

    def num_tokens(self, model: Any, texts: list[str]) -> tuple[Any, int | None]:
        return (None if model.max_length is None else model.num_tokens(texts).numpy()), model.max_length


class TranslatorHandler(PipelineHandler):
    """A saved translator for Beam's `RunInference`, of which `Translate` is made.

    Args:
        model: the path of what `load_translator` opens, on every worker.
        batch_size: texts that go through the model at once.
        namespace: of the metrics.

    Returns:
        `PredictionResult`: `example` is the text, `inference` its translation, `model_id` the path.

    Raises:
        ValueError: for a batch size below 1.

    Example:
        >>> import tensorflow as tf
        >>> from keras_transformer.beam import TranslatorHandler
        >>> module = tf.Module()
        >>> module.__call__ = tf.function(tf.strings.upper, input_signature=[tf.TensorSpec([None], tf.string)])
        >>> tf.saved_model.save(module, str(tmp_path / "1"))
        >>> handler = TranslatorHandler(tmp_path / "1")
        >>> [result] = handler.run_inference(["a dog"], handler.load_model())
        >>> result.inference
        'A DOG'
    """

    def load_model(self) -> Any:
        return load_translator(self.model)

    def results(self, model: Any, texts: list[str]) -> Iterable[Any]:
        return model.translate(texts, self.batch_size)

    def num_tokens(self, model: Any, texts: list[str]) -> tuple[Any, int | None]:
        limit = model.max_source_length
        return (None if limit is None else model.num_source_tokens(texts).numpy()), limit
