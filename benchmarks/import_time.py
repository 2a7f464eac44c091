"""Time to import the library."""

import pathlib

from benchmarks.benchmark import OURS, Benchmark, Run, Target
from benchmarks.fresh_process import in_fresh_process

benchmark = Benchmark(
    "Import in a fresh process",
    __spec__.name,
    unit="imports",
    warm_ups=1,
    targets=[Target("KerasHub", 1.0), Target("sentence-transformers", 1.0)],
)


@benchmark.subject(OURS)
def ours(folder: pathlib.Path) -> Run:
    return in_fresh_process("import keras_transformer")


@benchmark.subject("keras alone")
def keras(folder: pathlib.Path) -> Run:
    """What KerasHub and we have in common, TensorFlow included."""
    return in_fresh_process("import keras")


@benchmark.subject("KerasHub")
def keras_hub(folder: pathlib.Path) -> Run:
    return in_fresh_process("import keras_hub")


@benchmark.subject("sentence-transformers")
def sentence_transformers(folder: pathlib.Path) -> Run:
    return in_fresh_process("import sentence_transformers")


if __name__ == "__main__":
    benchmark.main()
