# ruff: noqa: E402
import pytest

beam = pytest.importorskip("apache_beam")

from apache_beam.testing.util import assert_that, equal_to

from keras_transformer.beam import DeadLetter, Translate


def test_translates_and_keeps_keys(exported, translator):
    with beam.Pipeline("FnApiRunner") as pipeline:
        elements = [(1, "a dog"), (2, "cats"), (2, "a dog"), (3, 4.0)]
        translated = pipeline | beam.Create(elements) | Translate(exported, batch_size=2)
        pairs = translated.results | beam.MapTuple(lambda key, result: (key, result.example, result.inference))
        dog, cats = translator.translate(["a dog", "cats"])
        assert_that(pairs, equal_to([(1, "a dog", dog), (2, "cats", cats), (2, "a dog", dog)]), "results")
        expected = [DeadLetter((3, 4.0), "Expected a string. Received: 4.0")]
        assert_that(translated.dead_letters, equal_to(expected), "dead letters")
    counters = pipeline.result.metrics().query()["counters"]
    assert {x.key.metric.namespace for x in counters} == {"keras_transformer.Translate"}
