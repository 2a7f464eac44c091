"""Speed of translating 32 sentences of different lengths by greedy search."""

from benchmarks import translation_models
from benchmarks.benchmark import OURS, Target

benchmark = translation_models.translation_benchmark(
    __spec__.name,
    "greedy",
    num_sentences=32,
    beam_size=1,
    targets=[
        Target("CTranslate2 float32", 1.8),
        Target("CTranslate2 int8", 1.0, subject=f"{OURS} bfloat16"),
        Target("CTranslate2 int8", 1.0, subject=f"{OURS} int8"),
    ],
    rounds=7,
)

if __name__ == "__main__":
    benchmark.main()
