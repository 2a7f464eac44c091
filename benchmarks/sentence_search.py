"""Speed of finding the nearest of 50,000 sentences, query by query, when their vectors are known."""

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.benchmark import OURS, Benchmark, Run, Target

NUM_SENTENCES, NUM_QUERIES, WIDTH, TOP_K = 50_000, 50, 384, 10

benchmark = Benchmark(
    f"The {TOP_K} nearest of {NUM_SENTENCES:,} sentences, {WIDTH} numbers, {NUM_QUERIES} queries one by one",
    __spec__.name,
    amount=NUM_QUERIES,
    unit="queries",
    targets=[
        Target("faiss, exact", 0.9),
        Target("usearch, exact", 1.0),
        Target("sentence-transformers", 1.0),
        Target("usearch", 0.7, subject=f"{OURS} approximate"),
    ],
    # Approximate ones: the cosine of the tenth, not of all.
    tolerance={
        f"{OURS} int8": 0.02,
        f"{OURS} binary": None,
        f"{OURS} approximate": None,
        "usearch": None,
        "faiss, HNSW": None,
    },
)


@benchmark.inputs
def inputs(folder: pathlib.Path) -> None:
    """Vectors in groups, whose numbers are not of equal weight: as those of sentences."""
    rng = np.random.default_rng(0)
    scales = (1 / np.sqrt(np.arange(1, WIDTH + 1))).astype("float32")
    topics = rng.standard_normal((2000, WIDTH), "float32") * scales

    def vectors(count):
        made = topics[rng.integers(len(topics), size=count)]
        made = made + 0.7 * rng.standard_normal((count, WIDTH), "float32") * scales
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    np.save(folder / "sentences.npy", vectors(NUM_SENTENCES))
    np.save(folder / "queries.npy", vectors(NUM_QUERIES))


def _read(folder: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    return np.load(folder / "sentences.npy"), np.load(folder / "queries.npy")


def _one_by_one(queries: np.ndarray, search: Callable[[np.ndarray], Any]) -> Run:
    """`search` takes a query (1, D) and gives the falling cosines of what it found."""
    return lambda: [search(query[None]) for query in queries]


def _ours(folder: pathlib.Path, **options: Any) -> Run:
    from keras_transformer.search import SemanticIndex

    sentences, queries = _read(folder)
    index = SemanticIndex(**options)
    index.add([f"sentence {number}" for number in range(NUM_SENTENCES)], sentences)
    return _one_by_one(queries, lambda query: [hit.score for hit in index.search(query, TOP_K)[0]])


@benchmark.subject(OURS)
def ours(folder: pathlib.Path) -> Run:
    return _ours(folder)


@benchmark.subject(f"{OURS} int8")
def ours_int8(folder: pathlib.Path) -> Run:
    return _ours(folder, precision="int8")


@benchmark.subject(f"{OURS} binary")
def ours_binary(folder: pathlib.Path) -> Run:
    return _ours(folder, precision="binary", rescoring="int8")


@benchmark.subject(f"{OURS} approximate")
def ours_approximate(folder: pathlib.Path) -> Run:
    return _ours(folder, approximate=True)


@benchmark.subject("faiss, exact")
def faiss_exact(folder: pathlib.Path) -> Run:
    import faiss

    sentences, queries = _read(folder)
    index = faiss.IndexFlatIP(WIDTH)
    index.add(sentences)
    return _one_by_one(queries, lambda query: index.search(query, TOP_K)[0][0])


@benchmark.subject("faiss, HNSW")
def faiss_graph(folder: pathlib.Path) -> Run:
    import faiss

    sentences, queries = _read(folder)
    index = faiss.IndexHNSWFlat(WIDTH, 16, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efSearch = 80
    index.add(sentences)
    return _one_by_one(queries, lambda query: index.search(query, TOP_K)[0][0])


@benchmark.subject("usearch, exact")
def usearch_exact(folder: pathlib.Path) -> Run:
    from usearch.index import search

    sentences, queries = _read(folder)
    return _one_by_one(queries, lambda query: 1 - search(sentences, query, TOP_K, "cos", exact=True).distances.ravel())


@benchmark.subject("usearch")
def usearch_graph(folder: pathlib.Path) -> Run:
    from usearch.index import Index

    sentences, queries = _read(folder)
    index = Index(ndim=WIDTH, metric="cos", dtype="f32", expansion_search=80)
    index.add(np.arange(NUM_SENTENCES), sentences)
    return _one_by_one(queries, lambda query: 1 - index.search(query, TOP_K).distances.ravel())


@benchmark.subject("sentence-transformers")
def sentence_transformers(folder: pathlib.Path) -> Run:
    import torch
    from sentence_transformers.util import semantic_search

    sentences, queries = (torch.from_numpy(vectors) for vectors in _read(folder))
    return lambda: [
        [hit["score"] for hit in semantic_search(query[None], sentences, top_k=TOP_K)[0]] for query in queries
    ]


if __name__ == "__main__":
    benchmark.main()
