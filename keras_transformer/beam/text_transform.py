from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference

from keras_transformer.beam.model_handlers import PipelineHandler
from keras_transformer.beam.text_elements import DEAD_LETTERS, ReadElements, WriteElements


class TextResults(NamedTuple):
    """The two outputs of `EmbedText` and `Translate`.

    Attributes:
        results: a PCollection of Beam's `PredictionResult`, or of `(key, PredictionResult)` for elements with keys.
        dead_letters: a PCollection of `DeadLetter`: what has no result.

    Example:
        >>> from keras_transformer.beam import TextResults
        >>> TextResults._fields
        ('results', 'dead_letters')
    """

    results: beam.PCollection
    dead_letters: beam.PCollection


class TextTransform(beam.PTransform):
    """What the transforms of texts share: elements are read, go through the model, and are written as they came.

    Args:
        handler: what `RunInference` runs.
    """

    def __init__(self, handler: PipelineHandler):
        super().__init__()
        self.handler = handler

    def expand(self, texts: Any) -> Any:  # TextResults, which Beam takes for a wrong type hint
        namespace = self.handler.namespace
        read = texts | "Read" >> beam.ParDo(ReadElements(namespace)).with_outputs(DEAD_LETTERS, main="texts")
        predictions = read.texts | RunInference(KeyedModelHandler(self.handler))
        written = predictions | "Write" >> beam.ParDo(WriteElements(namespace)).with_outputs(
            DEAD_LETTERS, main="results"
        )
        dead_letters = (read[DEAD_LETTERS], written[DEAD_LETTERS]) | "DeadLetters" >> beam.Flatten()
        return TextResults(written.results, dead_letters)
