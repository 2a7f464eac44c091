"""Speed of embedding sentences of different lengths."""

import pathlib
from collections.abc import Callable
from typing import Any

from benchmarks import minilm
from benchmarks.benchmark import OURS, Benchmark, Run, Target

NUM_SENTENCES, BATCH_SIZE = 512, 64

benchmark = Benchmark(
    f"Strings to vectors, MiniLM, {NUM_SENTENCES} uneven sentences, batch {BATCH_SIZE}",
    __spec__.name,
    amount=NUM_SENTENCES,
    unit="sentences",
    targets=[
        Target("sentence-transformers", 1.7),
        Target("ONNX Runtime", 1.4),
        Target("ONNX Runtime int8", 1.3, subject=f"{OURS} bfloat16"),
        Target("ONNX Runtime int8", 1.3, subject=f"{OURS} int8"),
    ],
    tolerance={f"{OURS} bfloat16": 0.03, f"{OURS} int8": 0.1, "ONNX Runtime int8": 0.1},
)


@benchmark.inputs
def inputs(folder: pathlib.Path) -> None:
    minilm.write(folder)


def _embedding(embed: Callable[[list[str]], Any]) -> Run:
    texts = minilm.sentences(NUM_SENTENCES)
    return lambda: embed(texts)


@benchmark.subject(OURS)
def ours(folder: pathlib.Path) -> Run:
    return _embedding(minilm.exported(folder / "float32", BATCH_SIZE))


@benchmark.subject(f"{OURS} bfloat16")
def ours_bfloat16(folder: pathlib.Path) -> Run:
    return _embedding(minilm.exported(folder / "bfloat16", BATCH_SIZE))


@benchmark.subject(f"{OURS} int8")
def ours_int8(folder: pathlib.Path) -> Run:
    return _embedding(minilm.exported(folder / "int8", BATCH_SIZE))


@benchmark.subject("sentence-transformers")
def sentence_transformers(folder: pathlib.Path) -> Run:
    return _embedding(minilm.sentence_transformers(BATCH_SIZE))


@benchmark.subject("ONNX Runtime")
def onnx_runtime(folder: pathlib.Path) -> Run:
    return _embedding(minilm.onnx_runtime(folder / minilm.ONNX_FLOAT32, BATCH_SIZE))


@benchmark.subject("ONNX Runtime int8")
def onnx_runtime_int8(folder: pathlib.Path) -> Run:
    return _embedding(minilm.onnx_runtime(folder / minilm.ONNX_INT8, BATCH_SIZE))


if __name__ == "__main__":
    benchmark.main()
