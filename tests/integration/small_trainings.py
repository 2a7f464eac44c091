"""The command line's trainings in small, by kind, and one of them that is killed at a chosen moment."""

import sys

import numpy as np

from tests import made_data

KINDS = ("translator", "embedder")
MODEL = ["--num-layers", 1, "--hidden-dim", 12, "--intermediate-dim", 19, "--num-heads", 3, "--max-length", 64]

# The command line, with KILL_AT in the environment: "step N" for a kill after that step, "checkpoint N" for one in the
# middle of writing the N-th checkpoint.
_KILLED = """
import os, signal, sys
from keras_transformer.cli.main import main
from keras_transformer.training import checkpoint
from keras_transformer.training.training_log import TrainingLog

what, number = os.environ["KILL_AT"].split()
number, count = int(number), 0
step, write = TrainingLog.step, checkpoint.write_checkpoint

class Kill:
    def numpy(self):
        os.kill(os.getpid(), signal.SIGKILL)

def killing_step(log, now, *args):
    step(log, now, *args)
    if what == "step" and now == number:
        Kill().numpy()

def killing_write(path, variables, progress):
    global count
    count += 1
    if what == "checkpoint" and count == number:
        variables = [*variables[:3], Kill()]
    write(path, variables, progress)

TrainingLog.step, checkpoint.write_checkpoint = killing_step, killing_write
sys.exit(main())
"""


def killed(moment):
    """(start of a command, more of its environment) of the command line that is killed at that moment."""
    return [sys.executable, "-c", _KILLED], {"KILL_AT": moment}


def write_files(folder):
    """Writes the files that `arguments` name; returns the folder."""
    sources, targets = made_data.pairs(120)
    (folder / "pairs.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in zip(sources, targets)))
    scores = np.linspace(0, 5, 40)
    (folder / "scored.tsv").write_text("".join(f"{s}\t{a}\t{b}\n" for s, a, b in zip(scores, sources, targets)))
    return folder


def arguments(kind, folder):
    """Of a training of this kind on the files in `folder`, with all but --out, 12 steps and 3 evaluations."""
    if kind == "translator":
        files = ["--pairs", folder / "pairs.tsv", "--validation-pairs", folder / "pairs.tsv"]
        length = ["--tokens-per-batch", 128, "--micro-batches", 2]
    else:
        files = ["--ranking", folder / "pairs.tsv", "--similarity", folder / "scored.tsv"]
        files += ["--validation", folder / "scored.tsv", "--batch-size", 8, "--output-dim", 6]
        length = ["--micro-batch-tokens", 128]
    length += ["--steps", 12, "--evaluation-steps", 4]
    more = ["--vocabulary-size", 60, "--warmup-steps", 4, "--clip-norm", 1.0]
    return ["train", kind, *files, *MODEL, *length, *more]


def figures(history):
    """What is compared of the rows of a history.csv: all but the minutes. (evaluations, columns)"""
    return np.array([[float(v or "nan") for name, v in row.items() if name != "minutes"] for row in history])
