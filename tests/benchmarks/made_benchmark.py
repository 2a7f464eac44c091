"""A benchmark whose subjects only wait."""

import time

import numpy as np

from benchmarks.benchmark import OURS, Benchmark, Target

benchmark = Benchmark(
    "Waiting",
    __spec__.name,
    amount=lambda folder: int(np.load(folder / "amount.npy")),
    unit="naps",
    rounds=3,
    warm_ups=1,
    targets=[Target("slow", 3.0), Target("slow", 1000.0), Target("broken", 1.0), Target("large", 1.5, of="memory")],
    tolerance={"other": 0.5, "wrong": 0.5, "not compared": None},
)


@benchmark.inputs
def inputs(folder):
    np.save(folder / "amount.npy", 6)


@benchmark.subject(OURS)
def ours(folder):
    print("What a library prints is no reply.")
    return lambda: _nap(0.01, [1.0, 2.0])


@benchmark.subject("slow")
def slow(folder):
    return lambda: _nap(0.1, [1.0, 2.0])


@benchmark.subject("other")
def other(folder):
    return lambda: _nap(0.01, [1.0, 2.25])


@benchmark.subject("wrong")
def wrong(folder):
    return lambda: _nap(0.01, [1.0, 3.0])


@benchmark.subject("not compared")
def not_compared(folder):
    return lambda: _nap(0.01, [9.0])


@benchmark.subject("large")
def large(folder):
    kept = np.ones(2**25)
    return lambda: _nap(0.01, [1.0, 1.0 + kept[0]])


@benchmark.subject("broken")
def broken(folder):
    raise OSError("no library here")


@benchmark.subject("breaks later")
def breaks_later(folder):
    naps = []

    def run():
        naps.append(1)
        if len(naps) > 2:
            raise MemoryError("a large one")
        return _nap(0.01, [1.0, 2.0])

    return run


def _nap(seconds, result):
    time.sleep(seconds)
    return np.array(result)
