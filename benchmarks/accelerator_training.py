"""Training speed of the encoder-decoder on a GPU, and its utilisation.

Keras runs on JAX; torch runs eagerly and compiled. All use mixed precision with bfloat16 and steps of about 4,000
target tokens without padding. TensorFlow is not needed:

`python -m benchmarks.accelerator_training` with keras, keras-hub, jax and torch.

Utilisation is defined as in Chowdhery et al., 2022, "PaLM", appendix B: the operations that the model needs, divided by
those that the GPU could do in the same time. `make bench` does not run this benchmark.
"""

import argparse
import dataclasses
import functools
import json
import os
import pathlib
import statistics
from collections.abc import Callable, Collection, Iterator
from typing import Any

from benchmarks import training_step
from benchmarks.benchmark import OURS, Benchmark, Run, Target
from benchmarks.report import Result, sentence, table
from benchmarks.training_step import Training

SIZES = {
    "base": Training("base", num_sentences=64, length=64, shortest=64, learning_rate=1e-5, num_steps=20),
    "big": Training(
        "big",
        num_sentences=64,
        length=64,
        shortest=64,
        hidden_dim=1024,
        intermediate_dim=4096,
        num_heads=16,
        learning_rate=1e-5,
        num_steps=20,
    ),
}
# Dense bfloat16 operations per second, from the data sheets.
PEAKS = {
    "NVIDIA A100-SXM4-40GB": 312e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA H100 80GB HBM3": 989e12,
    "NVIDIA H200": 989e12,
}

benchmark = Benchmark(
    "",
    __spec__.name,
    unit="target tokens",
    rounds=5,
    targets=[Target("KerasHub", 1.0), Target("torch", 1.0), Target("torch compiled", 1.0)],
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("benchmark-results"))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", nargs="+", metavar="SUBJECT", help="run these subjects only")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    for name in "num_sentences", "length", "num_steps":
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(SIZES["base"], name))
    args = parser.parse_args()
    results = {}
    for size in args.sizes:
        batch = {"num_sentences": args.num_sentences, "length": args.length, "shortest": args.length}
        training = dataclasses.replace(SIZES[size], **batch, num_steps=args.num_steps)
        results[size] = result = measure(training, args.rounds, args.only)
        print(table(result))
        print("\n".join(utilisation(result)), flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    targets = [
        {**target, "peer": f"{target['peer']}, {size}"}
        for size, result in results.items()
        for target in result["targets"]
    ]
    (args.out / "accelerator_training.json").write_text(
        json.dumps({"results": results, "targets": targets}, indent=1) + "\n"
    )
    for target in targets:
        print("  " + sentence(target))
    devices = sorted({subject["device"] for result in results.values() for subject in result["subjects"].values()})
    if len(devices) > 1:
        raise SystemExit(f"expected one device for all subjects; received {', '.join(devices)}")
    if any(result["disagreements"] for result in results.values()):
        raise SystemExit(1)


def measure(training: Training, rounds: int | None = None, only: Collection[str] | None = None) -> Result:
    """Returns the result with one `Training`, and its "operations"."""
    of_size = dataclasses.replace(
        benchmark,
        title=f"{training.preset.capitalize()} Transformer, {training.num_steps} training steps with Adam, "
        f"{training.num_sentences} x {training.length}, mixed bfloat16",
        amount=training.num_sentences * training.length * training.num_steps,
    )
    of_size.subjects = benchmark.subjects

    @of_size.inputs
    def write(folder):
        training.write(folder)
        (folder / "training.json").write_text(json.dumps(dataclasses.asdict(training)))

    return {**of_size.measure(rounds, only), "operations": training.operations * training.num_steps}


def utilisation(result: Result) -> Iterator[str]:
    """Yields lines: the utilisation of each subject's device."""
    for name, subject in result["subjects"].items():
        rate = result["operations"] / statistics.median(subject["seconds"])
        peak = PEAKS.get(subject["device"])
        share = f", {rate / peak:.1%} of {peak / 1e12:g}" if peak else ""
        yield f"  {name}: {rate / 1e12:,.3g} TFLOP/s of the model on {subject['device']}{share}"


def add_subject(name: str, make: Callable[..., Run], **options: Any) -> None:
    benchmark.subject(name)(functools.partial(set_up, make=make, **options))
    benchmark.tolerance[name] = 0.3


def set_up(folder: pathlib.Path, make: Callable[..., Run], **options: Any) -> Run:
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the subjects share the GPU
    return make(folder, Training(**json.loads((folder / "training.json").read_text())), **options)


add_subject(OURS, training_step.ours, dtype="mixed_bfloat16")
add_subject("KerasHub", training_step.keras_hub, dtype="mixed_bfloat16")
add_subject("torch", training_step.torch, mixed=True)
add_subject("torch compiled", training_step.torch, mixed=True, compiled=True)

if __name__ == "__main__":
    main()
