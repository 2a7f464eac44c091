import pytest

from keras_transformer.data import read_answers


def test_two_columns_or_three_in_one_file_or_several(write_lines):
    first, second = write_lines("a.tsv", ["q1\ta1", "q2\t"]), write_lines("b.tsv.gz", ["q3\ta3"])
    assert read_answers([first, second]) == [("q1", "a1"), ("q2", ""), ("q3", "a3")]
    assert read_answers(write_lines("c.tsv", ["q\ta\tc", "p\tb\t"])) == [("q", "a", "c"), ("p", "b", "")]


@pytest.mark.parametrize(
    "files, message",
    [
        ([["q"]], "0.tsv, line 1: expected question, answer or question, answer, context, .* Received: 1 column$"),
        ([["q\ta\tc\td"]], "0.tsv, line 1: expected .* Received: 4 columns$"),
        ([["q\ta", "q\ta\tc"]], r"0.tsv, line 2: expected 2 columns \(question, answer\), .* Received: 3$"),
        ([["q\ta\tc"], ["q\ta"]], r"1.tsv, line 1: expected 3 columns \(question, answer, context\), .* Received: 2$"),
        ([[]], "0.tsv, line 1: expected question, answer. Received: an empty file"),
        ([["q\ta"], []], "1.tsv, line 1: expected question, answer. Received: an empty file"),
    ],
)
def test_bad_files(files, message, write_lines):
    paths = [write_lines(f"{number}.tsv", lines) for number, lines in enumerate(files)]
    with pytest.raises(ValueError, match=message):
        read_answers(paths)
