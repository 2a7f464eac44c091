"""The cost of padding in an encoder."""

import pathlib

import numpy as np

from benchmarks import encoder_blocks
from benchmarks.benchmark import OURS, Benchmark, Target

BATCH_SIZE, LENGTH, SHORTEST = 32, 128, 16


def _lengths() -> np.ndarray:
    """Uniform, the longest of all the batch's own length."""
    lengths = np.random.default_rng(1).integers(SHORTEST, LENGTH + 1, BATCH_SIZE)
    lengths[0] = LENGTH
    return lengths


benchmark = Benchmark(
    f"Base encoder, forward, {BATCH_SIZE} x {LENGTH} with sentences of {SHORTEST} to {LENGTH} tokens, float32",
    __spec__.name,
    amount=int(_lengths().sum()),
    unit="real tokens",
    targets=[Target("KerasHub", 1.3), Target("torch", 1.2), Target("keras.layers", 1.0), Target(f"{OURS} padded", 1.0)],
)


@benchmark.inputs
def inputs(folder: pathlib.Path) -> None:
    encoder_blocks.write_weights(folder, BATCH_SIZE, LENGTH, lengths=_lengths())


encoder_blocks.add_subjects(
    benchmark,
    encoder_blocks.keras_forward,
    {**encoder_blocks.KERAS, OURS: encoder_blocks.ours_unpadded, f"{OURS} padded": encoder_blocks.ours},
)
benchmark.subject("torch")(encoder_blocks.torch_forward)

if __name__ == "__main__":
    benchmark.main()
