"""The cost of a token as a function of length, batch size and model size.

One encoder block of each preset, forward, float32. Matrix products with weights cost 2 (4 d^2 + 2 d f) operations per
token, those with the keys and values of T tokens 4 T d, which is more from T = 2 d + f on. Below it the cost per token
is about constant, above it linear in T. The softmax, over H scores per pair of tokens, lowers that length. At small
batches tokens cost more: weights are read for few tokens, and starting an operation takes as long as computing it.
"""

import argparse
import json
import pathlib
import statistics
import time

import numpy as np

from benchmarks.report import Result, machine

TOKENS = 4096
LENGTHS = [32, 64, 128, 256, 512, 1024, 2048, 4096]
LENGTH, BATCH_SIZES = 128, [1, 2, 4, 8, 16, 32]
SIZES = ["tiny", "small", "base", "big"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("benchmark-results"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    args = parser.parse_args()
    result = {"machine": machine(), "sizes": {}}
    print(f"Microseconds a token in one encoder block: {TOKENS:,} tokens of each length; batches of {LENGTH} tokens")
    for size in args.sizes:
        result["sizes"][size] = found = measure(size, args.rounds)
        print(sentence(size, found), flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "cost_per_token.json").write_text(json.dumps(result, indent=1) + "\n")
    plot(result, args.out / "cost_per_token.svg")


def measure(size: str, rounds: int) -> Result:
    """Seconds a token of one preset against length and batch size, and where the two kinds of products are equal."""
    import keras
    import tensorflow as tf

    from keras_transformer.layers import EncoderBlock
    from keras_transformer.models.presets import PRESETS

    preset = PRESETS[size]
    width, inner = preset["hidden_dim"], preset["intermediate_dim"]
    block = EncoderBlock(preset["num_heads"], inner)
    block.build((None, None, width))
    shapes = [(TOKENS // length, length) for length in LENGTHS] + [(batch, LENGTH) for batch in BATCH_SIZES]
    inputs = [keras.random.normal((*shape, width), seed=0) for shape in shapes]
    runs = [tf.function(lambda x=x: block(x, training=False)) for x in inputs]
    seconds = [[] for _ in shapes]
    for _ in range(2):
        for run in runs:
            run()
    for _ in range(rounds):
        for run, times in zip(runs, seconds):
            begin = time.perf_counter()
            run().numpy()
            times.append(time.perf_counter() - begin)
    costs = [statistics.median(times) / np.prod(shape) for shape, times in zip(shapes, seconds)]
    by_length = costs[: len(LENGTHS)]
    slope, level = np.polyfit(LENGTHS, by_length, 1, w=1 / np.asarray(by_length))
    return {
        "by_length": dict(zip(LENGTHS, by_length)),
        "by_batch_size": dict(zip(BATCH_SIZES, costs[len(LENGTHS) :])),
        "level": level,  # of the straight line
        "bend": level / slope,
        "bend_of_products": 2 * width + inner,
    }


def sentence(size: str, found: Result) -> str:
    """The figures of one preset, in words."""

    def shown(costs):
        return ", ".join(f"{key}: {1e6 * cost:.2f}" for key, cost in costs.items())

    return (
        f"  {size}: by length {shown(found['by_length'])}; by batch size {shown(found['by_batch_size'])}\n"
        f"    twice the level of {1e6 * found['level']:.2f} at length {found['bend']:,.0f}; by the products alone at "
        f"2 d + f = {found['bend_of_products']:,}"
    )


def plot(result: Result, path: pathlib.Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.5), sharey=True, layout="constrained")
    for number, (size, found) in enumerate(result["sizes"].items()):
        for axes, costs in ((left, found["by_length"]), (right, found["by_batch_size"])):
            axes.plot(list(costs), [1e6 * cost for cost in costs.values()], "o-", color=f"C{number}", label=size)
            axes.axhline(1e6 * found["level"], linestyle=":", color=f"C{number}")
        left.axvline(found["bend_of_products"], linestyle="--", linewidth=0.7, color=f"C{number}")
    left.set(xlabel=f"length, {TOKENS:,} tokens in all", ylabel="microseconds a token and block")
    right.set(xlabel=f"batch size, {LENGTH} tokens each")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
    left.set_title("dotted: a level line; dashed: 2 d + f", fontsize=9)
    right.legend()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
