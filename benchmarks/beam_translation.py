"""How fast are 32 sentences of uneven length translated by the paper's beam search?"""

from benchmarks import translation_models
from benchmarks.contest import OURS, Aim, Contest

BATCH_SIZE, BEAM_SIZE = 32, 4

contest = Contest(
    f"Base translation, {BATCH_SIZE} sentences of 25 tokens to {translation_models.LENGTH}, beam of {BEAM_SIZE}",
    amount=BATCH_SIZE * translation_models.LENGTH,
    unit="tokens",
    rounds=5,
    aims=[
        Aim("CTranslate2 float32", 1.8, entrant=f"{OURS} XLA"),
        Aim("CTranslate2 int8", 1.0, entrant=f"{OURS} bfloat16"),
    ],
    # Tokens: the same ones in float32.
    tolerance={OURS: 0, f"{OURS} XLA": 0, "CTranslate2 float32": 0, "CTranslate2 int8": None, f"{OURS} bfloat16": None},
)


@contest.inputs
def inputs(folder):
    translation_models.write(folder, BATCH_SIZE)


@contest.entrant(OURS)
def ours(folder):
    return _ours(folder, "float32")


@contest.entrant(f"{OURS} XLA")
def ours_xla(folder):
    return _ours(folder, "float32", jit_compile=True)


@contest.entrant(f"{OURS} bfloat16")
def ours_bfloat16(folder):
    return _ours(folder, "bfloat16")


@contest.entrant("CTranslate2 float32")
def ctranslate2(folder):
    return translation_models.ctranslate2(folder, "float32", beam_size=BEAM_SIZE)


@contest.entrant("CTranslate2 int8")
def ctranslate2_int8(folder):
    return translation_models.ctranslate2(folder, "int8", beam_size=BEAM_SIZE)


def _ours(folder, dtype, jit_compile=False):
    from keras_transformer.decoding import BeamSearch

    return translation_models.ours(folder, BeamSearch(BEAM_SIZE), dtype, jit_compile)


if __name__ == "__main__":
    contest.main()
