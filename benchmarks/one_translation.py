"""Speed of translating a single sentence by greedy search."""

from benchmarks import translation_models
from benchmarks.benchmark import OURS, Target

benchmark = translation_models.translation_benchmark(
    __spec__.name,
    "greedy",
    num_sentences=1,
    beam_size=1,
    targets=[
        Target("CTranslate2 float32", 1.3, subject=f"{OURS} XLA"),
        Target("CTranslate2 int8", 1.3, subject=f"{OURS} XLA"),
        Target("CTranslate2 float32", 1.3, subject=f"{OURS} int8"),
        Target("CTranslate2 int8", 1.3, subject=f"{OURS} int8"),
    ],
    rounds=9,
)

if __name__ == "__main__":
    benchmark.main()
