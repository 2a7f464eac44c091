"""Runs the same work in several libraries and compares their time, memory and outputs.

A benchmark is a module with one `Benchmark` and a function for each subject, a library under test. Each subject has a
process of its own, and the runs of all are interleaved. The function loads the library, sets it up, and returns a
function that does the work once:

    benchmark = Benchmark("Base encoder, forward", __spec__.name, unit="tokens", targets=[Target("torch", 1.2)])

    @benchmark.subject(OURS)
    def ours(folder):
        ...
        return lambda: model(x)

    if __name__ == "__main__":
        benchmark.main()

What that function returns is compared, too: subjects that disagree fail the benchmark. `Benchmark.inputs` makes the
data and weights that all subjects read.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from benchmarks.report import Result, machine, table, write

OURS = "keras_transformer"

Run: TypeAlias = Callable[[], Any]  # does the work once and returns outputs, or `None`
SetUp = TypeVar("SetUp", bound=Callable[[pathlib.Path], Run])
Inputs = TypeVar("Inputs", bound=Callable[[pathlib.Path], object])


@dataclasses.dataclass(frozen=True)
class Target:
    """`subject` should be at least `ratio` times as fast as `peer` (median of the rounds' ratios).

    With `of="memory"`, the peak memory of `peer`'s process should be at least `ratio` times that of `subject`.
    """

    peer: str
    ratio: float
    subject: str = OURS
    of: str = "seconds"


@dataclasses.dataclass
class Benchmark:
    """The subjects of one benchmark, and how they are measured.

    Args:
        title: the work, with its sizes.
        module: name of the benchmark's module, from which the subjects' processes import `benchmark`.
        targets: the ratios to reach.
        amount: how much of `unit` one run does, or a function of the inputs' folder that returns it.
        unit: "tokens", "sentences", ...
        rounds: timed runs of each subject.
        warm_ups: runs of each subject before the timed ones.
        tolerance: {subject: largest absolute difference between its outputs and the first subject's}; `None`: outputs
            are not compared. 1e-3 for subjects that are not named.
    """

    title: str
    module: str
    targets: list[Target] = dataclasses.field(default_factory=list)
    amount: float | Callable[[pathlib.Path], float] = 1
    unit: str = "runs"
    rounds: int = 9
    warm_ups: int = 2
    tolerance: dict[str, float | None] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        self.subjects: dict[str, Callable[[pathlib.Path], Run]] = {}
        self.make_inputs: Callable[[pathlib.Path], object] = lambda folder: None

    def subject(self, name: str) -> Callable[[SetUp], SetUp]:
        """Decorates the function that sets a subject up."""

        def register(function: SetUp) -> SetUp:
            self.subjects[name] = function
            return function

        return register

    def inputs(self, function: Inputs) -> Inputs:
        """Decorates the function that writes what all subjects read into a folder, before the first one starts."""
        self.make_inputs = function
        return function

    def main(self, arguments: Sequence[str] | None = None) -> None:
        """Runs the benchmark from the command line; exits with 1 if outputs disagree."""
        parser = argparse.ArgumentParser(description=self.title)
        parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("benchmark-results"))
        parser.add_argument("--rounds", type=int, default=self.rounds)
        parser.add_argument("--only", nargs="+", metavar="SUBJECT", help="run these subjects only")
        args = parser.parse_args(arguments)
        result = self.measure(args.rounds, args.only)
        print(table(result))
        write(result, args.out)
        if result["disagreements"]:
            raise SystemExit(1)

    def measure(self, rounds: int | None = None, only: Collection[str] | None = None) -> Result:
        """Returns the result as a dictionary that JSON can hold."""
        names = [name for name in self.subjects if not only or name in only]
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            self.make_inputs(folder)
            amount = self.amount(folder) if callable(self.amount) else self.amount
            workers, failures = {}, {}
            for name in names:
                try:
                    workers[name] = Worker(self.module, name, folder, self.warm_ups)
                except WorkerFailed as error:
                    failures[name] = str(error)
            seconds, failed = _run_interleaved(workers, rounds or self.rounds)
            failures |= failed
            workers = {name: workers[name] for name in seconds}
            finals = {name: worker.finish() for name, worker in workers.items()}
            disagreements = self.disagreements(folder, finals)
        return {
            "title": self.title,
            "name": self.module.rpartition(".")[2],
            "unit": self.unit,
            "amount": amount,
            "machine": machine(),
            "subjects": {name: {"seconds": seconds[name], **finals[name]} for name in workers},
            "failures": failures,
            "disagreements": disagreements,
            "targets": [self.verdict(target, seconds, finals) for target in self.targets],
        }

    def verdict(self, target: Target, seconds: dict[str, list[float]], finals: dict[str, Result]) -> Result:
        """Returns the target with its outcome: {..., "median", "min", "max", "met"}; `None` if a side did not run."""
        verdict = dataclasses.asdict(target)
        if target.subject not in seconds or target.peer not in seconds:
            return {**verdict, "median": None, "min": None, "max": None, "met": None}
        if target.of == "memory":
            ratios = [finals[target.peer]["peak_bytes"] / finals[target.subject]["peak_bytes"]]
        else:
            ratios = [theirs / ours for ours, theirs in zip(seconds[target.subject], seconds[target.peer])]
        median = statistics.median(ratios)
        return {**verdict, "median": median, "min": min(ratios), "max": max(ratios), "met": median >= target.ratio}

    def disagreements(self, folder: pathlib.Path, finals: dict[str, Result]) -> dict[str, float]:
        """Returns {subject: largest difference} of those whose difference from the first exceeds the tolerance."""
        outputs = {name: np.load(folder / final.pop("outputs")) for name, final in finals.items() if final["outputs"]}
        found = {}
        expected = next(iter(outputs.values()), None)
        for name, output in outputs.items():
            tolerance = self.tolerance.get(name, 1e-3)
            if tolerance is not None:
                same = output.shape == expected.shape
                difference = float(np.max(np.abs(output - expected), initial=0.0)) if same else float("inf")
                finals[name]["difference"] = difference
                if not difference <= tolerance:
                    found[name] = difference
        for final in finals.values():
            final.pop("outputs", None)
        return found


def _run_interleaved(workers: "dict[str, Worker]", rounds: int) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Returns the seconds of each run of the workers that complete all rounds, and the errors of the others."""
    seconds, failures = {name: [] for name in workers}, {}
    for round_number in range(rounds):
        order = list(seconds)
        first = round_number % max(len(order), 1)
        for name in order[first:] + order[:first]:
            time.sleep(0.3)  # the previous worker's threads may still spin
            try:
                seconds[name].append(workers[name].run())
            except WorkerFailed as error:
                failures[name] = str(error)
                del seconds[name]
    return seconds, failures


class WorkerFailed(RuntimeError):
    """The process of a subject ended early. The message is the end of its standard error."""


class Worker:
    """The process of one subject, set up and warmed up."""

    def __init__(self, module: str, name: str, folder: pathlib.Path, warm_ups: int) -> None:
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed with the worker
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", module, name, str(folder), str(warm_ups)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            cwd=pathlib.Path(__file__).parents[1],
        )
        self.start = self._reply()

    def run(self) -> float:
        """Returns the seconds of one run."""
        return self._request("run")["seconds"]

    def finish(self) -> Result:
        """Ends the process: {"set_up_seconds", "first_run_seconds", "peak_bytes", "outputs": a file or `None`}."""
        final = {**self.start, **self._request("finish")}
        self.process.communicate()
        return final

    def _request(self, what: str) -> Result:
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return self._reply()

    def _reply(self) -> Result:
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.errors.seek(0)
            raise WorkerFailed(f"exit status {code}: {self.errors.read()[-2000:]}")
        return json.loads(line)
