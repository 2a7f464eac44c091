"""Runs the same work by several libraries, each in a process of its own, by turns, and compares.

A question is a module with one `Contest` and a function for each entrant, which loads its library, does the
set-up, and returns a function that does the work once:

    contest = Contest("Base encoder, forward", __spec__.name, unit="tokens", aims=[Aim("torch", 1.2)])

    @contest.entrant(OURS)
    def ours(folder):
        ...
        return lambda: model(x)

    if __name__ == "__main__":
        contest.main()

What the function returns is compared, too: entrants that disagree fail the question. `Contest.inputs` makes the data
and weights that all entrants read.
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
import typing

import numpy as np

from benchmarks.report import machine, table, write

OURS = "keras_transformer"


@dataclasses.dataclass(frozen=True)
class Aim:
    """`entrant` is to be at least `ratio` times as fast as `peer` (median of the rounds' ratios)."""

    peer: str
    ratio: float
    entrant: str = OURS
    of: str = "seconds"  # or "memory": the peak of the process


@dataclasses.dataclass
class Contest:
    """One question.

    Args:
        title: what is done, with the sizes.
        module: of the question, from which processes import its `contest`.
        aims: what we want to be true.
        amount: how much of `unit` one run does, or a function of the folder that tells it.
        unit: "tokens", "sentences", ...
        rounds: runs of each entrant that count.
        warm_ups: runs of each entrant before.
        tolerance: {entrant: largest absolute difference of its outputs from the first entrant's}; `None` for outputs
            that are not to be compared. An entrant that is not named here has 1e-3.
    """

    title: str
    module: str
    aims: list[Aim] = dataclasses.field(default_factory=list)
    amount: typing.Any = 1
    unit: str = "runs"
    rounds: int = 9
    warm_ups: int = 2
    tolerance: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        self.entrants = {}
        self.make_inputs = lambda folder: None

    def entrant(self, name):
        """Decorator of the function that sets an entrant up."""

        def register(function):
            self.entrants[name] = function
            return function

        return register

    def inputs(self, function):
        """Decorator of the function that writes what all entrants read into a folder, before the first starts."""
        self.make_inputs = function
        return function

    def main(self, arguments=None):
        """Asks the question from the command line; exits with 1 where outputs disagree."""
        parser = argparse.ArgumentParser(description=self.title)
        parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("benchmark-results"))
        parser.add_argument("--rounds", type=int, default=self.rounds)
        parser.add_argument("--only", nargs="+", metavar="ENTRANT", help="leave the others out")
        args = parser.parse_args(arguments)
        result = self.ask(args.rounds, args.only)
        print(table(result))
        write(result, args.out)
        if result["disagreements"]:
            raise SystemExit(1)

    def ask(self, rounds=None, only=None):
        """The result as a dictionary that JSON can hold."""
        names = [name for name in self.entrants if not only or name in only]
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
            seconds, failed = _run_by_turns(workers, rounds or self.rounds)
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
            "entrants": {name: {"seconds": seconds[name], **finals[name]} for name in workers},
            "failures": failures,
            "disagreements": disagreements,
            "aims": [self.verdict(aim, seconds, finals) for aim in self.aims],
        }

    def verdict(self, aim, seconds, finals):
        """An aim with what came out: {..., "median", "min", "max", "met"}; `None` where a side did not run."""
        verdict = dataclasses.asdict(aim)
        if aim.entrant not in seconds or aim.peer not in seconds:
            return {**verdict, "median": None, "min": None, "max": None, "met": None}
        if aim.of == "memory":
            ratios = [finals[aim.peer]["peak_bytes"] / finals[aim.entrant]["peak_bytes"]]
        else:
            ratios = [theirs / ours for ours, theirs in zip(seconds[aim.entrant], seconds[aim.peer])]
        median = statistics.median(ratios)
        return {**verdict, "median": median, "min": min(ratios), "max": max(ratios), "met": median >= aim.ratio}

    def disagreements(self, folder, finals):
        """{entrant: largest difference} of those that are further from the first than they may be."""
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


def _run_by_turns(workers, rounds):
    """The seconds of each run of the workers that last through all rounds, and the failures of the others."""
    seconds, failures = {name: [] for name in workers}, {}
    for round_number in range(rounds):
        order = list(seconds)
        first = round_number % max(len(order), 1)
        for name in order[first:] + order[:first]:
            time.sleep(0.3)  # threads of the one before may still spin
            try:
                seconds[name].append(workers[name].run())
            except WorkerFailed as error:
                failures[name] = str(error)
                del seconds[name]
    return seconds, failures


class WorkerFailed(RuntimeError):
    """A process of an entrant ended before its time; the message is the end of what it printed."""


class Worker:
    """The process of one entrant, set up and warm."""

    def __init__(self, module, name, folder, warm_ups):
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed with the worker
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", module, name, str(folder), str(warm_ups)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            cwd=pathlib.Path(__file__).parents[1],
        )
        self.start = self._answer()

    def run(self):
        """Seconds of one run."""
        return self._ask("run")["seconds"]

    def finish(self):
        """Ends the process: {"set_up_seconds", "first_run_seconds", "peak_bytes", "outputs": a file or `None`}."""
        final = {**self.start, **self._ask("finish")}
        self.process.communicate()
        return final

    def _ask(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.errors.seek(0)
            raise WorkerFailed(f"exit status {code}: {self.errors.read()[-2000:]}")
        return json.loads(line)
