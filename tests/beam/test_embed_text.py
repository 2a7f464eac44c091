# ruff: noqa: E402
import numpy as np
import pytest

beam = pytest.importorskip("apache_beam")

from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms import window

from keras_transformer.beam import DeadLetter, EmbedText

RUNNER = "FnApiRunner"  # in this process


def rounded(vector):
    return tuple(np.round(vector, 4).tolist())


def metrics(result, kind, name):
    filters = beam.metrics.MetricsFilter().with_namespace("keras_transformer.EmbedText").with_name(name)
    (found,) = result.metrics().query(filters)[kind]
    return found.committed


def test_texts_keys_dead_letters_and_metrics(exported_embedder, embedder):
    elements = ["a dog", ("id", "a cat"), 3, ("id", None), b"\xff", "x" * 5000, ("id", b"a dog")]
    with beam.Pipeline(RUNNER) as pipeline:
        results, dead_letters = pipeline | beam.Create(elements) | EmbedText(exported_embedder)
        texts = ["a dog", "a cat", "x" * 5000]
        with pytest.warns(UserWarning):
            dog, cat, long = map(rounded, embedder.embed(texts))
        keyed = [("id", ("a cat", cat)), ("id", ("a dog", dog))]

        def plain(element):
            key, result = ((element[0],), element[1]) if element[0] == "id" else ((), element)
            pair = (result.example, rounded(result.inference))
            return (*key, pair) if key else pair

        assert_that(results | beam.Map(plain), equal_to([("a dog", dog), (texts[2], long), *keyed]), "results")
        expected = [
            DeadLetter(3, "Expected a string. Received: 3"),
            DeadLetter(("id", None), "Expected a string. Received: None"),
            DeadLetter(b"\xff", r"Expected UTF-8. Received: b'\xff' (invalid start byte)"),
        ]
        assert_that(dead_letters, equal_to(expected), "dead letters")
    assert metrics(pipeline.result, "counters", "dead_letters") == 3
    assert metrics(pipeline.result, "counters", "truncated_texts") == 1
    assert metrics(pipeline.result, "counters", "num_inferences") == 4
    assert metrics(pipeline.result, "distributions", "load_model_latency_milli_secs").count == 1


def test_windows_are_kept(exported_embedder):
    with beam.Pipeline(RUNNER) as pipeline:
        texts = pipeline | beam.Create([(5, "a"), (15, "b"), (17, "c")])
        stamped = texts | beam.MapTuple(lambda time, text: window.TimestampedValue(text, time))
        embedded = stamped | beam.WindowInto(window.FixedWindows(10)) | EmbedText(exported_embedder)
        counts = embedded.results | beam.Map(lambda result: 1) | beam.CombineGlobally(sum).without_defaults()
        assert_that(counts, equal_to([1, 2]))
