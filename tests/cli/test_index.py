"""keras-transformer index, in this process."""

import io
import sys

import numpy as np
import pytest

from keras_transformer.cli.main import main
from keras_transformer.search import SemanticIndex
from tests import made_data

TEXTS = [*made_data.sentences(40, seed=5, longest=4), "", "漢\u2028字"]


def run(*arguments):
    return main(["index", *(str(argument) for argument in arguments)])


def test_the_lines_of_files(embedder, embedder_dir, write_lines, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("keras_transformer.search.indexed_texts.TEXTS_AT_ONCE", 16)
    files = write_lines("1.txt", TEXTS[:30]), write_lines("2.txt.gz", TEXTS[30:])
    assert run("--model", embedder_dir, *files, "--output", tmp_path / "a", "--batch-size", 4) == 0
    assert capsys.readouterr() == ("", "")
    index = SemanticIndex.load(tmp_path / "a", embedder)
    assert (list(index.texts), index.model) == (TEXTS, str(embedder_dir / "embedder.keras"))
    np.testing.assert_allclose(index.vectors(), embedder.embed(TEXTS), atol=1e-5)


def test_standard_input_and_options(embedder, embedder_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(TEXTS).encode())))
    options = ["--precision", "binary", "--rescoring", "int8", "--progress"]
    assert run("--model", embedder_dir, "--output", tmp_path / "a", *options) == 0
    assert capsys.readouterr().err.split("\r")[-1].startswith("42 sentences, ")
    index = SemanticIndex.load(tmp_path / "a", embedder)
    assert list(index.texts) == TEXTS
    np.testing.assert_allclose(index.vectors(), embedder.embed(TEXTS), atol=0.01)


def test_what_goes_wrong_leaves_the_index_as_it_was(embedder_dir, write_lines, tmp_path, capsys):
    source, path = write_lines("in.txt", ["dog", b"\xff"]), tmp_path / "a"
    path.write_text("earlier")
    arguments = ("--model", embedder_dir, source, "--output", path)
    assert run(*arguments) == 1
    assert "Expected --output not to exist, or --overwrite. Received: " in capsys.readouterr().err
    assert run(*arguments, "--overwrite") == 1
    assert "in.txt, line 2: expected UTF-8" in capsys.readouterr().err
    assert path.read_text() == "earlier" and sorted(tmp_path.iterdir()) == [path, tmp_path / "in.txt"]


@pytest.mark.parametrize(
    "options, message",
    [
        (
            ["--rescoring", "int8"],
            "Expected --rescoring of a higher precision than --precision float32. Received: int8",
        ),
        (["--batch-size", "0"], "Received: --batch-size=0"),
        (["--model", "nowhere"], "Received: nowhere"),
    ],
)
def test_bad_options(options, message, embedder_dir, write_lines, tmp_path, capsys):
    model = [] if "--model" in options else ["--model", embedder_dir]
    assert run(write_lines("in.txt", ["dog"]), "--output", tmp_path / "a", *model, *options) == 1
    assert message in capsys.readouterr().err and not (tmp_path / "a").exists()
