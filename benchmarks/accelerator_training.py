"""How fast does the whole encoder-decoder train on a GPU, and how much of it is put to use?

Keras runs on JAX; torch runs eagerly and compiled; all in mixed precision with bfloat16, in steps of some 4,000 target
tokens without padding. TensorFlow is not needed:

`python -m benchmarks.accelerator_training` with keras, keras-hub, jax and torch.

The utilisation is that of Chowdhery et al., 2022, "PaLM", appendix B: the operations that the model needs, over those
that the GPU could do in the time. `make bench` leaves this question out.
"""

import argparse
import dataclasses
import functools
import json
import os
import pathlib
import statistics

from benchmarks import training_step
from benchmarks.contest import OURS, Aim, Contest
from benchmarks.report import sentence, table
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
# Dense products of bfloat16 a second, as their makers' data sheets have them.
PEAKS = {
    "NVIDIA A100-SXM4-40GB": 312e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA H100 80GB HBM3": 989e12,
    "NVIDIA H200": 989e12,
}

contest = Contest(
    "",
    __spec__.name,
    unit="target tokens",
    rounds=5,
    aims=[Aim("KerasHub", 1.0), Aim("torch", 1.0), Aim("torch compiled", 1.0)],
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("benchmark-results"))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", nargs="+", metavar="ENTRANT", help="leave the others out")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    for name in "num_sentences", "length", "num_steps":
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(SIZES["base"], name))
    args = parser.parse_args()
    results = {}
    for size in args.sizes:
        batch = {"num_sentences": args.num_sentences, "length": args.length, "shortest": args.length}
        training = dataclasses.replace(SIZES[size], **batch, num_steps=args.num_steps)
        results[size] = result = ask(training, args.rounds, args.only)
        print(table(result))
        print("\n".join(utilisation(result)), flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    aims = [{**aim, "peer": f"{aim['peer']}, {size}"} for size, result in results.items() for aim in result["aims"]]
    (args.out / "accelerator_training.json").write_text(json.dumps({"results": results, "aims": aims}, indent=1) + "\n")
    for aim in aims:
        print("  " + sentence(aim))
    devices = sorted({entrant["device"] for result in results.values() for entrant in result["entrants"].values()})
    if len(devices) > 1:
        raise SystemExit(f"expected one device for all; they ran on {', '.join(devices)}")
    if any(result["disagreements"] for result in results.values()):
        raise SystemExit(1)


def ask(training, rounds=None, only=None):
    """The result of the contest with one `Training`, with its "operations"."""
    of_size = dataclasses.replace(
        contest,
        title=f"{training.preset.capitalize()} Transformer, {training.num_steps} training steps with Adam, "
        f"{training.num_sentences} x {training.length}, mixed bfloat16",
        amount=training.num_sentences * training.length * training.num_steps,
    )
    of_size.entrants = contest.entrants

    @of_size.inputs
    def write(folder):
        training.write(folder)
        (folder / "training.json").write_text(json.dumps(dataclasses.asdict(training)))

    return {**of_size.ask(rounds, only), "operations": training.operations * training.num_steps}


def utilisation(result):
    """Lines: what each entrant made of its device."""
    for name, entrant in result["entrants"].items():
        rate = result["operations"] / statistics.median(entrant["seconds"])
        peak = PEAKS.get(entrant["device"])
        share = f", {rate / peak:.1%} of {peak / 1e12:g}" if peak else ""
        yield f"  {name}: {rate / 1e12:,.3g} TFLOP/s of the model on {entrant['device']}{share}"


def enter(name, make, **options):
    contest.entrant(name)(functools.partial(set_up, make=make, **options))
    contest.tolerance[name] = 0.3


def set_up(folder, make, **options):
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the others are on the same GPU
    return make(folder, Training(**json.loads((folder / "training.json").read_text())), **options)


enter(OURS, training_step.ours, dtype="mixed_bfloat16")
enter("KerasHub", training_step.keras_hub, dtype="mixed_bfloat16")
enter("torch", training_step.torch, mixed=True)
enter("torch compiled", training_step.torch, mixed=True, compiled=True)

if __name__ == "__main__":
    main()
