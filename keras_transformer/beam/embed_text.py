from keras_transformer.beam.model_handlers import EmbedderHandler
from keras_transformer.beam.text_transform import TextTransform
from keras_transformer.types import PathLike


class EmbedText(TextTransform):
    """The vectors of texts, as a transform of Apache Beam.

    Elements are texts, or pairs `(key, text)`, whose keys are kept. A text is a `str`, or `bytes` in UTF-8. A worker
    process loads the model once. Texts of about equal length go into one batch.

    Metrics, in the namespace "keras_transformer.EmbedText": those of `RunInference` ("num_inferences", ...), and the
    counters "truncated_texts" and "dead_letters".

    Args:
        model: the path of what `keras_transformer.pipelines.load_embedder` opens, on every worker: an exported
            embedder, a folder of versions, a `.keras` file. It is a program: open only what you trust.
        batch_size: texts that are embedded at once.

    Returns:
        `TextResults`, two PCollections:
        - `results`: Beam's `PredictionResult` with the text, `example`, and its vector, `inference`, float32 (D,); or
          `(key, PredictionResult)`;
        - `dead_letters`: a `DeadLetter` for each element that is no text, or that the model refused.

    Raises:
        ValueError: for a batch size below 1.

    Example:
        >>> import apache_beam as beam
        >>> from keras_transformer.beam import EmbedText
        >>> from keras_transformer.models import DeepAveragingNetwork
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> encoder = DeepAveragingNetwork(tokenizer.vocabulary_size, hidden_dim=8, output_dim=6, num_layers=1)
        >>> keras_transformer.TextEmbedder(encoder, tokenizer).export(tmp_path / "1", warmup_texts=())
        >>> with beam.Pipeline("FnApiRunner") as pipeline:
        ...     texts = pipeline | beam.Create([("id 1", "a dog"), ("id 2", 3)])
        ...     results, dead_letters = texts | EmbedText(tmp_path / "1")
        ...     shapes = results | beam.MapTuple(lambda key, result: print(key, result.example, result.inference.shape))
        ...     reasons = dead_letters | beam.Map(lambda letter: print(letter.reason))
        id 1 a dog (6,)
        Expected a string. Received: 3
    """

    def __init__(self, model: PathLike, batch_size: int = 32):
        super().__init__(EmbedderHandler(model, batch_size, "keras_transformer.EmbedText"))
