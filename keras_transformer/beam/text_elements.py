"""What goes into a transform of texts and comes out: elements with or without keys, and those that are bad."""

import reprlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics

from keras_transformer.beam.model_handlers import Refused

DEAD_LETTERS = "dead_letters"


class DeadLetter(NamedTuple):
    """An element that has no result.

    Attributes:
        element: as it came, with its key if it has one.
        reason: what was expected, and what came.

    Example:
        >>> from keras_transformer.beam import DeadLetter
        >>> DeadLetter(("id 7", 3), "Expected a string. Received: 3").element
        ('id 7', 3)
    """

    element: Any
    reason: str


class ReadElements(beam.DoFn):
    """From elements, `text` or `(key, text)`, to `(key, text)` with the key in a tuple, which is empty for none.

    What is no text goes to the output "dead_letters".

    Args:
        namespace: of the counter "dead_letters".
    """

    def __init__(self, namespace: str):
        self.dead_letters = Metrics.counter(namespace, DEAD_LETTERS)

    def process(self, element: Any) -> Iterator[Any]:
        is_keyed = type(element) is tuple and len(element) == 2
        key, text = ((element[0],), element[1]) if is_keyed else ((), element)
        try:
            yield key, _text(text)
        except ValueError as error:
            self.dead_letters.inc()
            yield beam.pvalue.TaggedOutput(DEAD_LETTERS, DeadLetter(element, str(error)))


class WriteElements(beam.DoFn):
    """From `(key, PredictionResult)`, with the keys of `ReadElements`, back to elements as they came.

    What the model refused goes to the output "dead_letters".

    Args:
        namespace: of the counter "dead_letters".
    """

    def __init__(self, namespace: str):
        self.dead_letters = Metrics.counter(namespace, DEAD_LETTERS)

    def process(self, element: Any) -> Iterator[Any]:
        key, result = element
        if isinstance(result.inference, Refused):
            self.dead_letters.inc()
            letter = DeadLetter((*key, result.example) if key else result.example, result.inference.reason)
            yield beam.pvalue.TaggedOutput(DEAD_LETTERS, letter)
        else:
            yield (*key, result) if key else result


def _text(value):
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"Expected UTF-8. Received: {reprlib.repr(value)} ({error.reason})") from error
    if not isinstance(value, str):
        raise ValueError(f"Expected a string. Received: {reprlib.repr(value)}")
    return value  # Beam's coders carry no lone surrogates
