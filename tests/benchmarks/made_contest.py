"""A contest of entrants that only wait."""

import time

import numpy as np

from benchmarks.contest import OURS, Aim, Contest

contest = Contest(
    "Waiting",
    __spec__.name,
    amount=lambda folder: int(np.load(folder / "amount.npy")),
    unit="naps",
    rounds=3,
    warm_ups=1,
    aims=[Aim("slow", 3.0), Aim("slow", 1000.0), Aim("broken", 1.0), Aim("large", 1.5, of="memory")],
    tolerance={"other": 0.5, "wrong": 0.5, "not compared": None},
)


@contest.inputs
def inputs(folder):
    np.save(folder / "amount.npy", 6)


@contest.entrant(OURS)
def ours(folder):
    print("What a library prints is no answer.")
    return lambda: _nap(0.01, [1.0, 2.0])


@contest.entrant("slow")
def slow(folder):
    return lambda: _nap(0.1, [1.0, 2.0])


@contest.entrant("other")
def other(folder):
    return lambda: _nap(0.01, [1.0, 2.25])


@contest.entrant("wrong")
def wrong(folder):
    return lambda: _nap(0.01, [1.0, 3.0])


@contest.entrant("not compared")
def not_compared(folder):
    return lambda: _nap(0.01, [9.0])


@contest.entrant("large")
def large(folder):
    kept = np.ones(2**25)
    return lambda: _nap(0.01, [1.0, 1.0 + kept[0]])


@contest.entrant("broken")
def broken(folder):
    raise OSError("no library here")


@contest.entrant("breaks later")
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
