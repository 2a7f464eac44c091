"""keras-transformer search, in this process."""

import io
import json
import sys

import numpy as np
import pytest

from keras_transformer.cli.main import main
from keras_transformer.search import HybridIndex, RerankedIndex, SemanticIndex
from tests import made_data

TEXTS = [*dict.fromkeys(made_data.sentences(40, seed=5, longest=4)), "", "漢\u2028字"]
QUERIES = ["red dog", "漢", ""]


def run(*arguments):
    return main(["search", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def path(embedder, embedder_dir, tmp_path_factory):
    path = tmp_path_factory.mktemp("index") / "texts.index"
    SemanticIndex.build(path, TEXTS, embedder, model=str(embedder_dir / "embedder.keras"))
    return path


@pytest.fixture
def standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("".join(f"{query}\n" for query in QUERIES).encode())))


def test_ranked_lines(path, embedder, capsysbinary, monkeypatch):
    monkeypatch.setattr("keras_transformer.cli.search._QUERIES_AT_ONCE", 2)
    assert run(path, *QUERIES, "--top-k", 3) == 0
    lines = [line.split("\t") for line in capsysbinary.readouterr().out.decode().split("\n")[:-1]]
    assert [line[:2] for line in lines] == [[query, str(rank)] for query in QUERIES for rank in (1, 2, 3)]
    hits = [hit for found in SemanticIndex.load(path, embedder).search(QUERIES, 3) for hit in found]
    assert [line[3] for line in lines] == [hit.text for hit in hits]
    np.testing.assert_allclose([float(line[2]) for line in lines], [hit.score for hit in hits], atol=1e-4)


def test_queries_may_stand_behind_options(path, capsys):
    assert run(path, "red dog", "--top-k", 1) == run(path, "cat", "--top-k", 1) == 0
    expected = capsys.readouterr().out
    for arguments in (["--top-k", 1, "red dog", "cat"], ["red dog", "--top-k", 1, "cat"]):
        assert run(path, *arguments) == 0
        assert capsys.readouterr().out == expected
    with pytest.raises(SystemExit):
        run(path, "--top-k", 1, "red dog", "--candidate-texts", 5)
    assert "unrecognized arguments: red dog --candidate-texts 5" in capsys.readouterr().err


def test_lines_of_json(path, embedder, standard_input, capsysbinary):
    assert run(path, "--jsonl", "--exact") == 0
    found = [json.loads(line) for line in capsysbinary.readouterr().out.decode().split("\n")[:-1]]
    expected = SemanticIndex.load(path, embedder).search(QUERIES)
    assert [line["query"] for line in found] == QUERIES
    for line, hits in zip(found, expected, strict=True):
        assert [(hit["id"], hit["text"]) for hit in line["hits"]] == [(hit.id, hit.text) for hit in hits]
        np.testing.assert_allclose([hit["score"] for hit in line["hits"]], [hit.score for hit in hits], atol=1e-5)


def test_hybrid(path, embedder, standard_input, capsysbinary):
    pytest.importorskip("bm25s")
    assert run(path, "--hybrid", "--jsonl", "--top-k", 4) == 0
    found = [json.loads(line) for line in capsysbinary.readouterr().out.decode().split("\n")[:-1]]
    expected = HybridIndex(SemanticIndex.load(path, embedder)).search(QUERIES, 4)
    assert [[hit["id"] for hit in line["hits"]] for line in found] == [[hit.id for hit in hits] for hits in expected]


def test_reranked(path, embedder, pair_scorer_dir, pair_scorer, standard_input, capsysbinary):
    options = ["--rerank", pair_scorer_dir, "--candidates", 7, "--jsonl", "--top-k", 4]
    assert run(path, *options) == 0
    found = [json.loads(line) for line in capsysbinary.readouterr().out.decode().split("\n")[:-1]]
    expected = RerankedIndex(SemanticIndex.load(path, embedder), pair_scorer, 7).search(QUERIES, 4)
    for line, hits in zip(found, expected, strict=True):
        assert [hit["id"] for hit in line["hits"]] == [hit.id for hit in hits]
        np.testing.assert_allclose([hit["score"] for hit in line["hits"]], [hit.score for hit in hits], atol=1e-5)


@pytest.mark.parametrize(
    "options, message",
    [
        (["nowhere", "dog"], "Expected an index. Received: nowhere, which is no file"),
        (["INDEX", "dog", "--top-k", "0"], "Received: --top-k=0"),
        (["INDEX", "dog", "--model", "nowhere"], "Received: nowhere"),
        (["INDEX", "dog", "--rerank", "nowhere"], "Expected a pair scorer: a .keras file or a SavedModel. Received: n"),
        (["INDEX", "dog", "--candidates", "0"], "Received: --candidates=0"),
        (["INDEX", "dog", "--candidates", "9"], "Expected --candidates with --rerank only. Received no --rerank"),
        (["INDEX", "dog", "--exact", "--hybrid"], "Expected one of --exact and --hybrid. Received both"),
        (["OTHER", "dog"], "Expected a safetensors file. Received: "),
        (["UNNAMED", "dog"], "Expected --model, since the index does not name one. Received: "),
    ],
)
def test_bad_options(options, message, path, tmp_path, capsys):
    (tmp_path / "other").write_text("something else")
    SemanticIndex.build(tmp_path / "unnamed", ["a"], vectors=[[1.0, 2.0]])
    paths = {"INDEX": path, "OTHER": tmp_path / "other", "UNNAMED": tmp_path / "unnamed"}
    assert run(*(paths.get(option, option) for option in options)) == 1
    assert message in capsys.readouterr().err
