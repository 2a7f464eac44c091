"""What does padding cost an encoder?"""

import numpy as np

from benchmarks import encoder_blocks
from benchmarks.contest import OURS, Aim, Contest

BATCH_SIZE, LENGTH, SHORTEST = 32, 128, 16


def _lengths():
    """Uniform, the longest of all the batch's own length."""
    lengths = np.random.default_rng(1).integers(SHORTEST, LENGTH + 1, BATCH_SIZE)
    lengths[0] = LENGTH
    return lengths


contest = Contest(
    f"Base encoder, forward, {BATCH_SIZE} x {LENGTH} with sentences of {SHORTEST} to {LENGTH} tokens, float32",
    __spec__.name,
    amount=int(_lengths().sum()),
    unit="real tokens",
    aims=[Aim("KerasHub", 1.3), Aim("torch", 1.2), Aim("keras.layers", 1.0), Aim(f"{OURS} padded", 1.0)],
)


@contest.inputs
def inputs(folder):
    encoder_blocks.write_weights(folder, BATCH_SIZE, LENGTH, lengths=_lengths())


encoder_blocks.enter(
    contest,
    encoder_blocks.keras_forward,
    {**encoder_blocks.KERAS, OURS: encoder_blocks.ours_unpadded, f"{OURS} padded": encoder_blocks.ours},
)
contest.entrant("torch")(encoder_blocks.torch_forward)

if __name__ == "__main__":
    contest.main()
