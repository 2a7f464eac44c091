"""How fast does the whole encoder-decoder train, with sentences of 16 to 32 tokens, padded to 32?"""

import functools

from benchmarks import training_step
from benchmarks.contest import OURS, Aim, Contest

TRAINING = training_step.Training("base", num_sentences=25, length=32, shortest=16)

contest = Contest(
    f"Base Transformer, training step with Adam and loss, {TRAINING.num_sentences} x {TRAINING.length}, "
    f"vocabulary {TRAINING.vocabulary_size:,}",
    __spec__.name,
    amount=TRAINING.num_sentences * TRAINING.length,
    unit="target tokens",
    rounds=7,
    aims=[
        Aim("KerasHub", 1.2, entrant=f"{OURS} unpadded"),
        Aim("torch", 1.2, entrant=f"{OURS} unpadded"),
        Aim("torch bfloat16", 1.2, entrant=f"{OURS} unpadded, mixed_bfloat16"),
        Aim("KerasHub", 1.0, entrant=f"{OURS} unpadded", of="memory"),
        Aim("torch", 1.0, entrant=f"{OURS} unpadded", of="memory"),
    ],
)
contest.inputs(TRAINING.write)


def enter(name, make, **options):
    contest.entrant(name)(functools.partial(make, training=TRAINING, **options))
    contest.tolerance[name] = 0.3


enter(OURS, training_step.ours)
enter(f"{OURS} mixed_bfloat16", training_step.ours, dtype="mixed_bfloat16")
enter(f"{OURS} unpadded", training_step.ours, unpadding=True)
enter(f"{OURS} unpadded, mixed_bfloat16", training_step.ours, dtype="mixed_bfloat16", unpadding=True)
enter("KerasHub", training_step.keras_hub)
enter("torch", training_step.torch)
enter("torch bfloat16", training_step.torch, mixed=True)

if __name__ == "__main__":
    contest.main()
