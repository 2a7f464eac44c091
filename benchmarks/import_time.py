"""How long does a program wait for the import?"""

from benchmarks.contest import OURS, Aim, Contest
from benchmarks.fresh_process import in_fresh_process

contest = Contest(
    "Import in a fresh process",
    __spec__.name,
    unit="imports",
    warm_ups=1,
    aims=[Aim("KerasHub", 1.0), Aim("sentence-transformers", 1.0)],
)


@contest.entrant(OURS)
def ours(folder):
    return in_fresh_process("import keras_transformer")


@contest.entrant("keras alone")
def keras(folder):
    """What KerasHub and we have in common, TensorFlow included."""
    return in_fresh_process("import keras")


@contest.entrant("KerasHub")
def keras_hub(folder):
    return in_fresh_process("import keras_hub")


@contest.entrant("sentence-transformers")
def sentence_transformers(folder):
    return in_fresh_process("import sentence_transformers")


if __name__ == "__main__":
    contest.main()
