"""How fast are 32 sentences of uneven length translated by the paper's beam search?"""

from benchmarks import translation_models
from benchmarks.contest import OURS, Aim

contest = translation_models.contest(
    __spec__.name,
    "beam of 4",
    num_sentences=32,
    beam_size=4,
    aims=[
        Aim("CTranslate2 float32", 1.8),
        Aim("CTranslate2 int8", 1.0, entrant=f"{OURS} bfloat16"),
        Aim("CTranslate2 int8", 1.0, entrant=f"{OURS} int8"),
    ],
    rounds=5,
)

if __name__ == "__main__":
    contest.main()
