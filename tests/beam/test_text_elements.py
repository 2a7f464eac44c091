# ruff: noqa: E402
import pytest

beam = pytest.importorskip("apache_beam")

from apache_beam.ml.inference.base import PredictionResult

from keras_transformer.beam.model_handlers import Refused
from keras_transformer.beam.text_elements import DeadLetter, ReadElements, WriteElements


def outputs(do_fn, element):
    """(tag, value) of what a DoFn gives for an element; the main output has no tag."""
    found = do_fn.process(element)
    return [(x.tag, x.value) if isinstance(x, beam.pvalue.TaggedOutput) else (None, x) for x in found]


@pytest.mark.parametrize(
    ("element", "read"),
    [
        ("a dog", ((), "a dog")),
        ("", ((), "")),
        ("ein Hünd".encode(), ((), "ein Hünd")),
        (("id", "a dog"), (("id",), "a dog")),
        ((None, b"a dog"), ((None,), "a dog")),
        (((1, "a"), "a dog"), (((1, "a"),), "a dog")),
    ],
)
def test_reads_texts_with_and_without_keys(element, read):
    assert outputs(ReadElements("n"), element) == [(None, read)]


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (3, "Expected a string. Received: 3"),
        (None, "Expected a string. Received: None"),
        (("id", ["a"]), "Expected a string. Received: ['a']"),
        (("a", "b", "c"), "Expected a string. Received: ('a', 'b', 'c')"),
        (b"a\xff", r"Expected UTF-8. Received: b'a\xff' (invalid start byte)"),
        (("id", b"\xe2\x82"), r"Expected UTF-8. Received: b'\xe2\x82' (unexpected end of data)"),
    ],
)
def test_what_is_no_text_is_a_dead_letter(element, reason):
    assert outputs(ReadElements("n"), element) == [("dead_letters", DeadLetter(element, reason))]


def test_long_values_are_shortened_in_reasons():
    ((_, letter),) = outputs(ReadElements("n"), list(range(10_000)))
    assert len(letter.reason) < 100 and letter.element[-1] == 9_999


def test_writes_elements_as_they_came():
    result, refused = PredictionResult("a dog", 1.0, "m"), PredictionResult("a dog", Refused("why"), "m")
    write = WriteElements("n")
    assert outputs(write, ((), result)) == [(None, result)]
    assert outputs(write, (("id",), result)) == [(None, ("id", result))]
    assert outputs(write, ((), refused)) == [("dead_letters", DeadLetter("a dog", "why"))]
    assert outputs(write, (("id",), refused)) == [("dead_letters", DeadLetter(("id", "a dog"), "why"))]
