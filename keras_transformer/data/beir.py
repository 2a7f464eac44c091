"""Retrieval tasks in BEIR's files: queries, a corpus, and which documents are relevant to which query."""

import json
import os
import reprlib
from collections.abc import Iterator
from typing import NamedTuple

from keras_transformer.data.lines import as_paths, read_lines
from keras_transformer.data.tab_separated import read_rows
from keras_transformer.types import PathLike


class RetrievalTask(NamedTuple):
    """Queries, documents, and how relevant these are to those.

    Attributes:
        queries: {id: text}.
        documents: {id: text}.
        relevance: {id of a query: {id of a document: how relevant it is, 0 for not}}.

    Example:
        >>> from keras_transformer.data import RetrievalTask
        >>> task = RetrievalTask({"q": "who barks?"}, {"1": "a dog", "2": "a tree"}, {"q": {"1": 1}})
        >>> task.documents["1"]
        'a dog'
    """

    queries: dict[str, str]
    documents: dict[str, str]
    relevance: dict[str, dict[str, int]]


def read_beir(queries: PathLike, corpus: PathLike, qrels: PathLike) -> RetrievalTask:
    """Reads a task in BEIR's format, as NanoBEIR and MTEB have it too.

    Args:
        queries: JSON lines with `_id` and `text`.
        corpus: JSON lines with `_id`, `text` and maybe a `title`, which is put before the text.
        qrels: tab-separated: query, document, how relevant it is, a whole number; with or without a header. All files
            are UTF-8, plain or `.gz`.

    Returns:
        A `RetrievalTask`.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: with file and line number, if a line is no such JSON or row, an id comes twice, or a query is judged
            that is not among the queries; if a file is empty, or none of the judged documents is in the corpus.

    Example:
        >>> from keras_transformer.data import read_beir
        >>> _ = (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "who barks?"}\\n')
        >>> _ = (tmp_path / "corpus.jsonl").write_text('{"_id": "d", "title": "Dogs", "text": "bark."}\\n')
        >>> _ = (tmp_path / "test.tsv").write_text("query-id\\tcorpus-id\\tscore\\nq\\td\\t1\\n")
        >>> read_beir(*(tmp_path / name for name in ("queries.jsonl", "corpus.jsonl", "test.tsv"))).documents
        {'d': 'Dogs bark.'}

    References:
        Thakur et al., 2021, "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models".
    """
    queries, corpus, qrels = as_paths([queries, corpus, qrels])
    task = RetrievalTask(dict(_texts(queries)), dict(_texts(corpus)), {})
    for line, (query, document, score) in enumerate(read_rows(qrels, ("query", "document", "relevance")), start=1):
        try:
            relevance = int(score)
        except ValueError:
            if line == 1:  # the header
                continue
            raise ValueError(f"{qrels}, line {line}: expected a whole number. Received: relevance={score!r}") from None
        if query not in task.queries:
            raise ValueError(f"{qrels}, line {line}: expected a query of {queries}. Received: {query!r}")
        task.relevance.setdefault(query, {})[document] = relevance
    if not any(document in task.documents for judged in task.relevance.values() for document in judged):
        raise ValueError(f"{qrels}: expected judgements of documents of {corpus}. Received none")
    return task


def beir_files(paths: list[str]) -> list[str]:
    """The three files of a task: `paths` themselves, or those in a folder as BEIR's archives have them.

    Raises:
        ValueError: unless there are three paths or one folder.
        FileNotFoundError: if a file is missing.
    """
    if len(paths) == 1 and os.path.isdir(paths[0]):
        names = "queries.jsonl", "corpus.jsonl", os.path.join("qrels", "test.tsv")
        files = [os.path.join(paths[0], name) for name in names]
        return as_paths(
            [f"{file}.gz" if os.path.exists(f"{file}.gz") and not os.path.exists(file) else file for file in files]
        )
    if len(paths) != 3:
        raise ValueError(f"Expected a folder, or three files: queries, corpus, qrels. Received: {' '.join(paths)}")
    return as_paths(paths)


def _texts(path: str) -> Iterator[tuple[str, str]]:
    seen = set()
    for line, text in enumerate(read_lines(path), start=1):
        try:
            record = json.loads(text)
            name, words = str(record["_id"]), record["text"]
            words = f"{record.get('title') or ''} {words}".strip()
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ValueError(
                f"{path}, line {line}: expected JSON with _id and text. Received: {reprlib.repr(text)}"
            ) from None
        if name in seen:
            raise ValueError(f"{path}, line {line}: expected each _id once. Received again: {name!r}")
        seen.add(name)
        yield name, words
    if not seen:
        raise ValueError(f"{path}, line 1: expected JSON with _id and text. Received: an empty file")
