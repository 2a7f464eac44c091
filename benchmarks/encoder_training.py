"""Training speed of the encoder blocks.

Without dropout, so that all subjects compute the same loss.
"""

import functools
import pathlib
from collections.abc import Callable
from typing import Any

from benchmarks import encoder_blocks
from benchmarks.benchmark import OURS, Benchmark, Run, Target

BATCH_SIZE, LENGTH, LEARNING_RATE = 32, 128, 1e-5
# Gradients are small, and Keras' Adam multiplies a larger epsilon by 30 in its first steps; torch's does not.
EPSILON = 1e-12

benchmark = Benchmark(
    f"Base encoder, training step with Adam, {BATCH_SIZE} x {LENGTH}, float32",
    __spec__.name,
    amount=BATCH_SIZE * LENGTH,
    unit="tokens",
    rounds=7,
    targets=[
        Target("KerasHub", 1.0),
        Target("keras.layers", 1.0),
        Target("torch", 1.4),
        Target("torch", 1.2, subject=f"{OURS} mixed_bfloat16"),
        Target("torch bfloat16", 1.2, subject=f"{OURS} mixed_bfloat16"),
    ],
    tolerance={f"{OURS} mixed_bfloat16": 0.02, "torch bfloat16": 0.02},
)


@benchmark.inputs
def inputs(folder: pathlib.Path) -> None:
    encoder_blocks.write_weights(folder, BATCH_SIZE, LENGTH)


def keras_training(folder: pathlib.Path, make: Callable[..., Any], dtype: str = "float32") -> Run:
    """A function that takes a step and gives its loss."""
    import keras
    import tensorflow as tf

    x, mask, layers = encoder_blocks.read(folder)
    model = make(layers, dtype)
    model.compile(keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON), "mse", jit_compile=False)
    x, mask = tf.constant(x), tf.constant(mask)
    targets = tf.reverse(x, axis=[1])
    return lambda: model.train_on_batch([x, mask], targets)


def torch_training(folder: pathlib.Path, mixed: bool = False) -> Run:
    """With `mixed`, in its mixed precision, `torch.autocast`."""
    import torch

    x, mask, layers = encoder_blocks.read(folder)
    encoder = encoder_blocks.torch_encoder(layers).train()
    x, padding = torch.from_numpy(x), torch.from_numpy(~mask)
    targets = x.flip(1)
    optimizer = torch.optim.Adam(encoder.parameters(), LEARNING_RATE, eps=EPSILON)

    def run():
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mixed):
            outputs = encoder(x, src_key_padding_mask=padding)
        loss = torch.nn.functional.mse_loss(outputs.float(), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return run


encoder_blocks.add_subjects(benchmark, keras_training)
encoder_blocks.add_subjects(
    benchmark, keras_training, {f"{OURS} mixed_bfloat16": encoder_blocks.ours}, dtype="mixed_bfloat16"
)
benchmark.subject("torch")(torch_training)
benchmark.subject("torch bfloat16")(functools.partial(torch_training, mixed=True))

if __name__ == "__main__":
    benchmark.main()
