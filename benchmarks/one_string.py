"""How long does one string take to become a vector?"""

from benchmarks import minilm
from benchmarks.contest import OURS, Aim, Contest

TEXT = "A young man in a blue shirt is playing the guitar outside."
CALLS = 20  # in a run

contest = Contest(
    f"One string of {len(TEXT.split())} words to a vector, MiniLM, {CALLS} calls",
    __spec__.name,
    amount=CALLS,
    unit="calls",
    aims=[
        Aim("ONNX Runtime", 1.0),
        Aim("ONNX Runtime int8", 1.0, entrant=f"{OURS} int8"),
        Aim("sentence-transformers", 1.0),
    ],
    tolerance={f"{OURS} bfloat16": 0.03, f"{OURS} int8": 0.1, "ONNX Runtime int8": 0.1},
    warm_ups=5,
)


@contest.inputs
def inputs(folder):
    minilm.write(folder)


def _calls(embed):
    def run():
        for _ in range(CALLS):
            vectors = embed([TEXT])
        return vectors

    return run


@contest.entrant(OURS)
def ours(folder):
    return _calls(minilm.signature(folder / "float32"))


@contest.entrant(f"{OURS} bfloat16")
def ours_bfloat16(folder):
    return _calls(minilm.signature(folder / "bfloat16"))


@contest.entrant(f"{OURS} int8")
def ours_int8(folder):
    return _calls(minilm.signature(folder / "int8"))


@contest.entrant("sentence-transformers")
def sentence_transformers(folder):
    return _calls(minilm.sentence_transformers(1))


@contest.entrant("ONNX Runtime")
def onnx_runtime(folder):
    return _calls(minilm.onnx_runtime(folder / minilm.ONNX_FLOAT32, 1))


@contest.entrant("ONNX Runtime int8")
def onnx_runtime_int8(folder):
    return _calls(minilm.onnx_runtime(folder / minilm.ONNX_INT8, 1))


if __name__ == "__main__":
    contest.main()
