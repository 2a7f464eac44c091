"""How fast is a single sentence translated, greedily?"""

from benchmarks import translation_models
from benchmarks.contest import OURS, Aim

contest = translation_models.contest(
    __spec__.name,
    "greedy",
    num_sentences=1,
    beam_size=1,
    aims=[
        Aim("CTranslate2 float32", 1.3, entrant=f"{OURS} XLA"),
        Aim("CTranslate2 int8", 1.3, entrant=f"{OURS} XLA"),
        Aim("CTranslate2 float32", 1.3, entrant=f"{OURS} int8"),
        Aim("CTranslate2 int8", 1.3, entrant=f"{OURS} int8"),
    ],
    rounds=9,
)

if __name__ == "__main__":
    contest.main()
