import pytest

from keras_transformer.cli.main import main
from tests import made_data


@pytest.fixture
def pairs(write_lines):
    first, second = made_data.pairs(20)
    return list(dict.fromkeys(zip(first, second))), write_lines("pairs.tsv", map("\t".join, zip(first, second)))


def test_rows_for_a_ranking(pairs, embedder_dir, write_lines, tmp_path, capsys):
    rows, path = pairs
    corpus = write_lines("corpus.txt", [*made_data.sentences(9), "", "with a\ttab"])
    output = tmp_path / "mined.tsv"
    arguments = ["mine", path, "--model", str(embedder_dir), "--output", str(output), "--negatives", "2"]
    assert main([*arguments, "--corpus", corpus]) == 0
    found = [tuple(line.split("\t")) for line in output.read_text().splitlines()]
    assert {row[:2] for row in found} == set(rows) and {len(row) for row in found} == {4}
    texts = {*made_data.sentences(9), "with a tab"}
    assert {text for row in found for text in row[2:]} <= texts
    assert f"Wrote {output}: 20 rows; 0 pairs have fewer negatives than 2" in capsys.readouterr().out
    assert main(arguments) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main([*arguments, "--overwrite", "--max-score", "-2"]) == 1
    assert "within these limits. Received: none of 20" in capsys.readouterr().err
    assert len(output.read_text().splitlines()) == 20


@pytest.mark.parametrize(
    "options, message",
    [
        (["--negatives", "0"], "--negatives=0"),
        (["--skip", "-1"], "--skip=-1"),
        (["--among", "1", "--skip", "1"], "Expected --among of at least --skip and --negatives together. Received: 1"),
        (["--corpus", "nowhere"], "Received: nowhere"),
    ],
)
def test_what_cannot_work_leaves_nothing(options, message, pairs, embedder_dir, tmp_path, capsys):
    arguments = ["mine", pairs[1], "--model", str(embedder_dir), "--output", str(tmp_path / "out.tsv")]
    assert main([*arguments, *options]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.tsv").exists()
