"""Runs benchmarks one after the other, prints their results, and which targets were met.

`python -m benchmarks [--out FOLDER] [--rounds N] [BENCHMARK ...]`
"""

import argparse
import json
import pathlib
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.report import sentence

BENCHMARKS = [
    "encoder_forward",
    "encoder_padded",
    "encoder_training",
    "embedder_training",
    "transformer_training",
    "strings_to_vectors",
    "static_vectors",
    "one_string",
    "translation",
    "beam_translation",
    "one_translation",
    "attention_length",
    "cost_per_token",
    "import_time",
    "first_vector",
    "sentence_search",
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the benchmarks of the command line; exits with a message if one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "benchmarks", nargs="*", metavar="BENCHMARK", help=f"one of {', '.join(BENCHMARKS)}; default: all"
    )
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("benchmark-results"))
    parser.add_argument("--rounds", help="timed runs of each subject")
    args = parser.parse_args(arguments)
    benchmarks = args.benchmarks or BENCHMARKS
    if unknown := sorted(set(benchmarks) - set(BENCHMARKS)):
        parser.error(f"expected benchmarks among {', '.join(BENCHMARKS)}; received {', '.join(unknown)}")
    options = ["--out", str(args.out), *(["--rounds", args.rounds] if args.rounds else [])]
    failed = []
    for benchmark in benchmarks:
        # One process each: peak memory is measured per process.
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{benchmark}", *options], check=False)
        print(flush=True)
        if done.returncode:
            failed.append(benchmark)
    print("Targets")
    for benchmark in benchmarks:
        path = args.out / f"{benchmark}.json"
        for target in json.loads(path.read_text()).get("targets", []) if path.exists() else []:
            print(f"  {benchmark}: {sentence(target)}")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
