"""Latency of embedding one string."""

import pathlib
from collections.abc import Callable
from typing import Any

from benchmarks import minilm
from benchmarks.benchmark import OURS, Benchmark, Run, Target

TEXT = "A young man in a blue shirt is playing the guitar outside."
CALLS = 20  # in a run
LITERT = f"{OURS} LiteRT"

benchmark = Benchmark(
    f"One string of {len(TEXT.split())} words to a vector, MiniLM, {CALLS} calls",
    __spec__.name,
    amount=CALLS,
    unit="calls",
    targets=[
        Target("ONNX Runtime", 1.0),
        Target("ONNX Runtime int8", 1.0, subject=f"{OURS} int8"),
        Target("sentence-transformers", 1.0),
        Target("ONNX Runtime", 1.0, subject=LITERT),
        Target("ONNX Runtime int8", 1.3, subject=f"{LITERT} int8"),
    ],
    tolerance={f"{OURS} bfloat16": 0.03, **dict.fromkeys((f"{OURS} int8", f"{LITERT} int8", "ONNX Runtime int8"), 0.1)},
    warm_ups=5,
)


@benchmark.inputs
def inputs(folder: pathlib.Path) -> None:
    minilm.write(folder, minilm.LITERT)


def _calls(embed: Callable[[list[str]], Any]) -> Run:
    def run():
        for _ in range(CALLS):
            vectors = embed([TEXT])
        return vectors

    return run


@benchmark.subject(OURS)
def ours(folder: pathlib.Path) -> Run:
    return _calls(minilm.signature(folder / "float32"))


@benchmark.subject(f"{OURS} bfloat16")
def ours_bfloat16(folder: pathlib.Path) -> Run:
    return _calls(minilm.signature(folder / "bfloat16"))


@benchmark.subject(f"{OURS} int8")
def ours_int8(folder: pathlib.Path) -> Run:
    return _calls(minilm.signature(folder / "int8"))


@benchmark.subject(LITERT)
def litert(folder: pathlib.Path) -> Run:
    return _calls(minilm.litert(folder / minilm.LITERT_FLOAT32))


@benchmark.subject(f"{LITERT} int8")
def litert_int8(folder: pathlib.Path) -> Run:
    return _calls(minilm.litert(folder / minilm.LITERT_INT8))


@benchmark.subject("sentence-transformers")
def sentence_transformers(folder: pathlib.Path) -> Run:
    return _calls(minilm.sentence_transformers(1))


@benchmark.subject("ONNX Runtime")
def onnx_runtime(folder: pathlib.Path) -> Run:
    return _calls(minilm.onnx_runtime(folder / minilm.ONNX_FLOAT32, 1))


@benchmark.subject("ONNX Runtime int8")
def onnx_runtime_int8(folder: pathlib.Path) -> Run:
    return _calls(minilm.onnx_runtime(folder / minilm.ONNX_INT8, 1))


if __name__ == "__main__":
    benchmark.main()
