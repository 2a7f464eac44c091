import pytest

from keras_transformer.data import read_scored_pairs
from keras_transformer.data.scored_pairs import scored_pair_files

PAIRS = ([4.2, 0.0], ['A "dog" runs.', "개"], ["The dog.", "a tree"])
ROWS = list(zip(*PAIRS))
SICK = "pair_ID\tsentence_A\tsentence_B\tentailment_label\trelatedness_score\tSemEval_set"
ANNOTATED = "pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment"
STSB = "main-captions\tMSRvid\t2012test\t0001"
FORMATS = {
    "plain.tsv.gz": [f"{score}\t{a}\t{b}" for score, a, b in ROWS],
    "SICK.txt": [SICK, *(f"{n}\t{a}\t{b}\tNEUTRAL\t{score}\tTEST" for n, (score, a, b) in enumerate(ROWS))],
    "SICK_test.txt": [ANNOTATED, *(f"{n}\t{a}\t{b}\t{score}\tNEUTRAL" for n, (score, a, b) in enumerate(ROWS))],
    "sts-dev.csv": [f"{STSB}\t{score}\t{a}\t{b}{'' if score else '	more	text'}" for score, a, b in ROWS],
}


@pytest.mark.parametrize("name", FORMATS)
def test_one_file(name, write_lines):
    assert read_scored_pairs(write_lines(name, FORMATS[name])) == PAIRS


def test_sts_files_and_their_folder(write_lines, tmp_path):
    """Pairs that people did not judge have an empty line, and some years more columns."""
    first = write_lines("STS.input.news.txt", ['A "dog" runs.\tThe dog.\thttp://a\thttp://b', "x\ty"])
    gold = write_lines("STS.gs.news.txt", ["4.2", ""])
    second = write_lines("STS.input.track1.ko-en.txt", ["개\ta tree"])
    write_lines("STS.gs.track1.ko-en.txt", ["0"])
    write_lines("STS.gs.other.txt", ["1"])
    assert read_scored_pairs(first) == tuple(column[:1] for column in PAIRS)
    assert read_scored_pairs(second) == tuple(column[1:] for column in PAIRS)
    assert read_scored_pairs(tmp_path) == PAIRS
    assert scored_pair_files([str(tmp_path), "README.md"])[:2] == [first, gold]


@pytest.mark.parametrize(
    "files, message",
    [
        ({"a.tsv": ["5\ta\tb", "6\ta\tb"]}, "a.tsv, line 2: expected a number from 0 to 5. Received: score='6'"),
        ({"a.tsv": []}, "a.tsv, line 1: expected score, sentence1, sentence2. Received: an empty file"),
        ({"a.txt": [SICK, "1\ta\tb\tN\tx\tTEST"]}, "a.txt, line 2: expected a number from 0 to 5. Received: score='x'"),
        ({"a.txt": [SICK, "1\ta\tb"]}, "a.txt, line 2: expected 6 columns"),
        ({"a.txt": [SICK]}, "a.txt: expected scored pairs. Received none"),
        ({"STS.input.a.txt": ["a\tb"], "STS.gs.a.txt": [""]}, "STS.input.a.txt: expected scored pairs. Received none"),
        (
            {"STS.input.a.txt": ["a\tb"], "STS.gs.a.txt": ["1", "2"]},
            "STS.gs.a.txt: expected a line for each of 1 pairs of .*STS.input.a.txt. Received: 2",
        ),
        ({"STS.input.a.txt": ["a"], "STS.gs.a.txt": ["1"]}, "STS.input.a.txt, line 1: expected 2 columns or more"),
        ({"STS.input.a.txt": ["a\tb"], "STS.gs.a.txt": ["nan"]}, "STS.gs.a.txt, line 1: expected a number from 0 to 5"),
        ({"a.csv": [f"{STSB}\tx\ta\tb"]}, "a.csv, line 1: expected a number from 0 to 5. Received: score='x'"),
    ],
)
def test_bad_files(files, message, write_lines):
    paths = [write_lines(name, lines) for name, lines in files.items()]
    with pytest.raises(ValueError, match=message):
        read_scored_pairs(paths[0])


def test_what_is_missing(write_lines, tmp_path):
    with pytest.raises(ValueError, match="Expected files STS.input.NAME.txt in a folder. Received none in "):
        read_scored_pairs(tmp_path)
    with pytest.raises(FileNotFoundError, match="STS.gs.a.txt, which does not exist"):
        read_scored_pairs(write_lines("STS.input.a.txt", ["a\tb"]))
