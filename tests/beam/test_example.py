"""examples/beam/embed_texts.py, in a process of its own."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("apache_beam")

import pyarrow as pa
import pyarrow.parquet

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "beam" / "embed_texts.py"


def run(model, source, output, *options):
    command = [sys.executable, EXAMPLE, "--model", model, "--input", source, "--output", output, *options]
    process = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    (vectors,) = output.parent.glob(f"{output.name}-*.parquet")
    (letters,) = output.parent.glob(f"{output.name}-dead-letters-*.jsonl")
    return pa.parquet.read_table(vectors).to_pylist(), [json.loads(line) for line in letters.open()]


def test_json_lines(exported_embedder, embedder, tmp_path):
    lines = [json.dumps({"name": 7, "sentence": "a dog"}), json.dumps({"name": 8}), "no JSON"]
    (tmp_path / "texts.jsonl").write_text("\n".join(lines) + "\n")
    options = ["--text-field", "sentence", "--id-field", "name"]
    (row,), letters = run(exported_embedder, tmp_path / "texts.jsonl", tmp_path / "out", *options)
    assert (row["id"], row["text"]) == ("7", "a dog")
    np.testing.assert_allclose(row["embedding"], embedder.embed(["a dog"])[0], atol=1e-5)
    assert len(letters) == 2 and all("Expected a JSON object with 'sentence'" in letter["reason"] for letter in letters)


def test_lines_and_parquet(exported_embedder, embedder, tmp_path):
    (tmp_path / "texts.txt").write_bytes(b"a dog\n\xff\na cat\n")
    rows, (letter,) = run(exported_embedder, tmp_path / "texts.txt", tmp_path / "out")
    assert {row["text"] for row in rows} == {"a dog", "a cat"} and "Expected UTF-8" in letter["reason"]
    pa.parquet.write_table(pa.table({"text": ["a cat", "a dog"]}), tmp_path / "texts.parquet")
    rows, letters = run(exported_embedder, tmp_path / "texts.parquet", tmp_path / "again")
    assert not letters and len(rows) == 2
    for row in rows:
        np.testing.assert_allclose(row["embedding"], embedder.embed([row["text"]])[0], atol=1e-5)
