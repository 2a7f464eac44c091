from keras_transformer.beam.model_handlers import TranslatorHandler
from keras_transformer.beam.text_transform import TextTransform
from keras_transformer.types import PathLike


class Translate(TextTransform):
    """The translations of texts, as a transform of Apache Beam.

    Elements, keys, batches and dead letters are as for `EmbedText`; the namespace of the metrics is
    "keras_transformer.Translate".

    Args:
        model: the path of what `keras_transformer.pipelines.load_translator` opens, on every worker: an exported
            translator, a folder of versions, a `.keras` file. It is a program: open only what you trust.
        batch_size: texts that are translated at once.

    Returns:
        `TextResults`, two PCollections:
        - `results`: Beam's `PredictionResult` with the text, `example`, and its translation, `inference`, a `str`; or
          `(key, PredictionResult)`;
        - `dead_letters`: a `DeadLetter` for each element that is no text, or that the model refused.

    Raises:
        ValueError: for a batch size below 1.

    Example:
        >>> import apache_beam as beam
        >>> import tensorflow as tf
        >>> from keras_transformer.beam import Translate
        >>> module = tf.Module()
        >>> module.__call__ = tf.function(tf.strings.upper, input_signature=[tf.TensorSpec([None], tf.string)])
        >>> tf.saved_model.save(module, str(tmp_path / "1"))
        >>> with beam.Pipeline("FnApiRunner") as pipeline:
        ...     translated = pipeline | beam.Create(["a dog"]) | Translate(tmp_path / "1")
        ...     printed = translated.results | beam.Map(lambda result: print(result.inference))
        A DOG
    """

    def __init__(self, model: PathLike, batch_size: int = 32):
        super().__init__(TranslatorHandler(model, batch_size, "keras_transformer.Translate"))
