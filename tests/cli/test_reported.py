import warnings

import tensorflow as tf

from keras_transformer.cli.progress import Progress
from keras_transformer.cli.reported import results_of
from keras_transformer.pipelines.streaming import Limit


def results(lines, limit, process):
    def count_tokens(texts):
        return tf.strings.length(texts)

    with Progress(False) as progress:
        return list(results_of(lines, 2, progress, process, count_tokens, Limit("max_length", limit, "embedded")))


def upper(texts):
    warnings.warn("1 of 2 texts have more than max_length=3 tokens", stacklevel=2)
    return [text.upper() for text in texts]


def test_lines_that_are_too_long_are_reported_by_their_places(capsys, recwarn):
    lines = [(f"line {number}", text) for number, text in enumerate(["dog", "horse", "a", "mouse", "cat"], start=1)]
    assert results(lines, 3, upper) == ["DOG", "HORSE", "A", "MOUSE", "CAT"]
    assert capsys.readouterr().err.splitlines() == [
        f"keras-transformer: line {number}: 5 tokens, the model takes 3; the end is not embedded" for number in (2, 4)
    ]
    assert not [warning for warning in recwarn if "max_length" in str(warning.message)]


def test_without_a_limit_nothing_is_counted(capsys):
    assert results([("line 1", "horse")], None, lambda texts: texts) == ["horse"]
    assert capsys.readouterr().err == ""
