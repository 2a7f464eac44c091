"""Training speed of the encoder-decoder, with sentences of 16 to 32 tokens, padded to 32."""

import functools
from collections.abc import Callable
from typing import Any

from benchmarks import training_step
from benchmarks.benchmark import OURS, Benchmark, Target

TRAINING = training_step.Training("base", num_sentences=25, length=32, shortest=16)

benchmark = Benchmark(
    f"Base Transformer, training step with Adam and loss, {TRAINING.num_sentences} x {TRAINING.length}, "
    f"vocabulary {TRAINING.vocabulary_size:,}",
    __spec__.name,
    amount=TRAINING.num_sentences * TRAINING.length,
    unit="target tokens",
    rounds=7,
    targets=[
        Target("KerasHub", 1.2, subject=f"{OURS} unpadded"),
        Target("torch", 1.2, subject=f"{OURS} unpadded"),
        Target("torch bfloat16", 1.2, subject=f"{OURS} unpadded, mixed_bfloat16"),
        Target("KerasHub", 1.0, subject=f"{OURS} unpadded", of="memory"),
        Target("torch", 1.0, subject=f"{OURS} unpadded", of="memory"),
    ],
)
benchmark.inputs(TRAINING.write)


def add_subject(name: str, make: Callable[..., Any], **options: Any) -> None:
    benchmark.subject(name)(functools.partial(make, training=TRAINING, **options))
    benchmark.tolerance[name] = 0.3


add_subject(OURS, training_step.ours)
add_subject(f"{OURS} mixed_bfloat16", training_step.ours, dtype="mixed_bfloat16")
add_subject(f"{OURS} unpadded", training_step.ours, unpadding=True)
add_subject(f"{OURS} unpadded, mixed_bfloat16", training_step.ours, dtype="mixed_bfloat16", unpadding=True)
add_subject("KerasHub", training_step.keras_hub)
add_subject("torch", training_step.torch)
add_subject("torch bfloat16", training_step.torch, mixed=True)

if __name__ == "__main__":
    benchmark.main()
