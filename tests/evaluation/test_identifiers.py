import math

import pytest

from keras_transformer.evaluation import score_identifiers
from keras_transformer.evaluation.identifiers import identifiers


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("get_value()와 tf.data.Dataset을 쓴다", ["get_value()", "tf.data.Dataset"]),
        (
            "std::vector, a->b, isValid, utf8, NULLs, print()",
            ["std::vector", "a->b", "isValid", "utf8", "NULLs", "print()"],
        ),
        ("Use --help or -x, path/to/file.", ["--help", "-x", "path/to/file"]),
        ("A well-known dog. Nothing here - at all; 3.5 of 10. End.Of", ["End.Of"]),
        ("", []),
    ],
)
def test_what_is_an_identifier(text, wanted):
    assert list(identifiers(text)) == wanted


def test_those_of_source_and_reference_are_expected():
    scores = score_identifiers(
        ["tf.data와 tf.data, x_y", "없음", "a_b"],
        ["tf.data and tf.data", "none_here", "a_b"],
        ["tf.data and TF.data x_y", "none_here", ""],
    )
    assert (scores.num_identifiers, scores.num_kept) == (3, 1)
    assert scores.fraction == pytest.approx(1 / 3)


def test_without_identifiers():
    assert math.isnan(score_identifiers(["개"], ["a dog"], ["a dog"]).fraction)


def test_unequal_lists():
    with pytest.raises(ValueError, match="sources=1, references=2, hypotheses=1"):
        score_identifiers(["a"], ["a", "b"], ["a"])
