import gzip
import json
import shutil

import pytest

from keras_transformer.data import read_beir
from keras_transformer.data.beir import beir_files

QUERIES = [{"_id": "q1", "text": "who barks?", "metadata": {}}, {"_id": 2, "text": "개"}]
CORPUS = [{"_id": "d1", "title": "Dogs", "text": "bark."}, {"_id": "d2", "title": "", "text": "a tree"}]
CORPUS += [{"_id": "d3", "text": "leaves"}]
QRELS = ["query-id\tcorpus-id\tscore", "q1\td1\t2", "q1\td2\t0", "2\tgone\t1"]


def write(write_lines, queries=QUERIES, corpus=CORPUS, qrels=QRELS):
    lines = [[json.dumps(record) for record in records] for records in (queries, corpus)]
    names = "queries.jsonl", "corpus.jsonl", "test.tsv"
    return [write_lines(name, rows) for name, rows in zip(names, (*lines, qrels))]


def test_a_task(write_lines):
    task = read_beir(*write(write_lines))
    assert task.queries == {"q1": "who barks?", "2": "개"}
    assert task.documents == {"d1": "Dogs bark.", "d2": "a tree", "d3": "leaves"}
    assert task.relevance == {"q1": {"d1": 2, "d2": 0}, "2": {"gone": 1}}
    assert read_beir(*write(write_lines, qrels=QRELS[1:])) == task


def test_the_files_of_a_folder(write_lines, tmp_path):
    files = write(write_lines)
    assert beir_files(files) == files
    (tmp_path / "task" / "qrels").mkdir(parents=True)
    shutil.move(files[0], tmp_path / "task")
    shutil.move(files[2], tmp_path / "task" / "qrels")
    with gzip.open(tmp_path / "task" / "corpus.jsonl.gz", "wb") as packed:
        packed.write((tmp_path / "corpus.jsonl").read_bytes())
    found = beir_files([str(tmp_path / "task")])
    assert [path.removeprefix(f"{tmp_path}/task/") for path in found] == [
        "queries.jsonl", "corpus.jsonl.gz", "qrels/test.tsv",
    ]  # fmt: skip
    assert read_beir(*found) == read_beir(*write(write_lines))
    (tmp_path / "task" / "corpus.jsonl.gz").unlink()
    with pytest.raises(FileNotFoundError, match="Received: .*corpus.jsonl, which does not exist"):
        beir_files([str(tmp_path / "task")])
    with pytest.raises(ValueError, match="a folder, or three files: queries, corpus, qrels. Received: a b"):
        beir_files(["a", "b"])


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"queries": [*QUERIES, {"id": 3}]}, "queries.jsonl, line 3: expected JSON with _id and text. Received: "),
        ({"corpus": [*CORPUS, "text"]}, "corpus.jsonl, line 4: expected JSON with _id and text. Received: "),
        ({"corpus": [*CORPUS, CORPUS[0]]}, "corpus.jsonl, line 4: expected each _id once. Received again: 'd1'"),
        ({"corpus": []}, "corpus.jsonl, line 1: expected JSON with _id and text. Received: an empty file"),
        ({"qrels": [*QRELS, "q1\td1\tyes"]}, "test.tsv, line 5: expected a whole number. Received: relevance='yes'"),
        ({"qrels": [*QRELS, "x\td1\t1"]}, "test.tsv, line 5: expected a query of .*queries.jsonl. Received: 'x'"),
        ({"qrels": QRELS[-1:]}, "test.tsv: expected judgements of documents of .*corpus.jsonl. Received none"),
        ({"qrels": QRELS[:1]}, "test.tsv: expected judgements of documents"),
    ],
)
def test_bad_files(changed, message, write_lines):
    with pytest.raises(ValueError, match=message):
        read_beir(*write(write_lines, **changed))
