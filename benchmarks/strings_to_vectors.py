"""How fast do uneven sentences become vectors?"""

from benchmarks import minilm
from benchmarks.contest import OURS, Aim, Contest

NUM_SENTENCES, BATCH_SIZE = 512, 64

contest = Contest(
    f"Strings to vectors, MiniLM, {NUM_SENTENCES} uneven sentences, batch {BATCH_SIZE}",
    __spec__.name,
    amount=NUM_SENTENCES,
    unit="sentences",
    aims=[
        Aim("sentence-transformers", 1.7),
        Aim("ONNX Runtime", 1.4),
        Aim("ONNX Runtime int8", 1.3, entrant=f"{OURS} bfloat16"),
        Aim("ONNX Runtime int8", 1.3, entrant=f"{OURS} int8"),
    ],
    tolerance={f"{OURS} bfloat16": 0.03, f"{OURS} int8": 0.1, "ONNX Runtime int8": 0.1},
)


@contest.inputs
def inputs(folder):
    minilm.write(folder)


def _embedding(embed):
    texts = minilm.sentences(NUM_SENTENCES)
    return lambda: embed(texts)


@contest.entrant(OURS)
def ours(folder):
    return _embedding(minilm.exported(folder / "float32", BATCH_SIZE))


@contest.entrant(f"{OURS} bfloat16")
def ours_bfloat16(folder):
    return _embedding(minilm.exported(folder / "bfloat16", BATCH_SIZE))


@contest.entrant(f"{OURS} int8")
def ours_int8(folder):
    return _embedding(minilm.exported(folder / "int8", BATCH_SIZE))


@contest.entrant("sentence-transformers")
def sentence_transformers(folder):
    return _embedding(minilm.sentence_transformers(BATCH_SIZE))


@contest.entrant("ONNX Runtime")
def onnx_runtime(folder):
    return _embedding(minilm.onnx_runtime(folder / minilm.ONNX_FLOAT32, BATCH_SIZE))


@contest.entrant("ONNX Runtime int8")
def onnx_runtime_int8(folder):
    return _embedding(minilm.onnx_runtime(folder / minilm.ONNX_INT8, BATCH_SIZE))


if __name__ == "__main__":
    contest.main()
