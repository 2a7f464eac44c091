"""Speed of translating 32 sentences of different lengths by beam search, as in the paper."""

from benchmarks import translation_models
from benchmarks.benchmark import OURS, Target

benchmark = translation_models.translation_benchmark(
    __spec__.name,
    "beam of 4",
    num_sentences=32,
    beam_size=4,
    targets=[
        Target("CTranslate2 float32", 1.8),
        Target("CTranslate2 int8", 1.0, subject=f"{OURS} bfloat16"),
        Target("CTranslate2 int8", 1.0, subject=f"{OURS} int8"),
    ],
    rounds=5,
)

if __name__ == "__main__":
    benchmark.main()
