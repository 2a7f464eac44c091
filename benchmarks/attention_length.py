"""Time and memory of attention to long sequences.

One layer with its projections, forward and backward, at increasing lengths. The memory of every process is limited;
one that needs more is reported as failed.
"""

import argparse
import dataclasses
import itertools
import json
import pathlib
import resource
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks import encoder_blocks
from benchmarks.benchmark import OURS, Benchmark, Run, Target
from benchmarks.report import Result, sentence, table

NUM_HEADS, WIDTH = encoder_blocks.NUM_HEADS, encoder_blocks.HIDDEN_DIM
HEAD_WIDTH = WIDTH // NUM_HEADS
LENGTHS = [1024, 2048, 4096, 8192, 16384]
LIMIT_GIB = 12

benchmark = Benchmark(
    "",
    __spec__.name,
    unit="tokens",
    rounds=5,
    warm_ups=1,
    targets=[Target("KerasHub", 1.0)],
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("benchmark-results"))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    args = parser.parse_args()
    results = {}
    for length in args.lengths:
        results[length] = result = measure(length, args.rounds)
        print(table(result), flush=True)
    growth = {name: memory_growth(results, name) for name in benchmark.subjects}
    for name, factors in growth.items():
        shown = ", ".join(f"{factor:.1f}" for factor in factors)
        print(f"  {name}: memory that each doubling of the length adds, relative to the doubling before: {shown}")
    print("  (2 where memory is linear in the length, 4 where it is quadratic)")
    targets = [
        {**target, "peer": f"{target['peer']}, {length:,} tokens"}
        for length, result in results.items()
        for target in result["targets"]
    ]
    args.out.mkdir(parents=True, exist_ok=True)
    written = {"results": results, "memory_growth": growth, "targets": targets}
    (args.out / "attention_length.json").write_text(json.dumps(written, indent=1) + "\n")
    for target in targets:
        print("  " + sentence(target))
    if any(result["disagreements"] for result in results.values()):
        raise SystemExit(1)


def measure(length: int, rounds: int | None = None) -> Result:
    """Returns the result at one length."""
    at_length = dataclasses.replace(
        benchmark,
        title=f"Attention, {NUM_HEADS} heads x {HEAD_WIDTH}, {length:,} tokens, forward and backward, "
        f"float32, at most {LIMIT_GIB} GiB",
        amount=length,
    )
    at_length.subjects = benchmark.subjects
    at_length.inputs(lambda folder: write_inputs(folder, length))
    return at_length.measure(rounds)


def memory_growth(results: Mapping[int, Result], name: str) -> list[float]:
    """Returns the peak memory that each doubling of the length adds, divided by what the doubling before added."""
    peaks = [result["subjects"][name]["peak_bytes"] for result in results.values() if name in result["subjects"]]
    added = np.diff(peaks)
    return [float(after / before) for before, after in itertools.pairwise(added)]


def write_inputs(folder: pathlib.Path, length: int) -> None:
    random = np.random.default_rng(0)

    def matrix(columns):
        return random.normal(0, WIDTH**-0.5, (WIDTH, columns)).astype("float32")

    np.savez(
        folder / "attention.npz",
        inputs=random.normal(size=(1, length, WIDTH)).astype("float32"),
        upstream=random.normal(size=(1, length, WIDTH)).astype("float32"),
        query_key_value=2 * matrix(3 * WIDTH),
        output=matrix(WIDTH),
    )


@benchmark.subject(OURS)
def ours(folder: pathlib.Path) -> Run:
    from keras_transformer.layers import MultiHeadSelfAttention

    arrays = _read(folder)
    layer = MultiHeadSelfAttention(NUM_HEADS)
    layer.build(arrays["inputs"].shape)
    layer.query_key_value.kernel.assign(arrays["query_key_value"])
    layer.output_projection.kernel.assign(arrays["output"])
    return _keras(layer, layer, arrays)


@benchmark.subject("KerasHub")
def keras_hub(folder: pathlib.Path) -> Run:
    """The attention of its decoders; that of its encoders, `keras.layers.MultiHeadAttention`, computes the same way."""
    from keras_hub.layers import CachedMultiHeadAttention

    arrays = _read(folder)
    layer = CachedMultiHeadAttention(NUM_HEADS, HEAD_WIDTH)
    layer.build(arrays["inputs"].shape, arrays["inputs"].shape)
    encoder_blocks.set_keras_attention(layer, arrays)
    return _keras(layer, lambda x: layer(x, x), arrays)


@benchmark.subject("torch")
def torch(folder: pathlib.Path) -> Run:
    """`scaled_dot_product_attention` between two `Linear`, with one matrix product for queries, keys and values."""
    import torch

    arrays = {name: torch.from_numpy(array) for name, array in _read(folder).items()}
    x = arrays["inputs"].requires_grad_()
    projection, output = torch.nn.Linear(WIDTH, 3 * WIDTH), torch.nn.Linear(WIDTH, WIDTH)
    with torch.no_grad():
        for linear, name in ((projection, "query_key_value"), (output, "output")):
            linear.weight.copy_(arrays[name].T)
            linear.bias.zero_()

    def run():
        for tensor in (x, *projection.parameters(), *output.parameters()):
            tensor.grad = None
        parts = projection(x).unflatten(-1, (3, NUM_HEADS, HEAD_WIDTH)).permute(2, 0, 3, 1, 4)
        context = torch.nn.functional.scaled_dot_product_attention(*parts)
        output(context.transpose(1, 2).flatten(2)).backward(arrays["upstream"])
        return x.grad.numpy()

    return run


def _read(folder: pathlib.Path) -> dict[str, np.ndarray]:
    limit = LIMIT_GIB * 2**30
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    return dict(np.load(folder / "attention.npz"))


def _keras(layer: Any, call: Callable[[Any], Any], arrays: Mapping[str, np.ndarray]) -> Run:
    import tensorflow as tf

    x, upstream = tf.constant(arrays["inputs"]), tf.constant(arrays["upstream"])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = call(x)
        return tape.gradient(outputs, [x, *(v.value for v in layer.trainable_variables)], output_gradients=upstream)

    return lambda: step()[0].numpy()


if __name__ == "__main__":
    main()
