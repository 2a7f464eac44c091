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


@contest.entrant(OURS)
def packed(folder):
    return _keras(folder, encoder_blocks.ours_packed)


@contest.entrant(f"{OURS} padded")
def padded(folder):
    return _keras(folder, encoder_blocks.ours)


@contest.entrant("KerasHub")
def keras_hub(folder):
    return _keras(folder, encoder_blocks.keras_hub)


@contest.entrant("keras.layers")
def keras_layers(folder):
    return _keras(folder, encoder_blocks.keras_layers)


@contest.entrant("torch")
def torch(folder):
    import torch

    x, mask, layers = encoder_blocks.read(folder)
    encoder = encoder_blocks.torch_encoder(layers).eval()
    x, padding = torch.from_numpy(x), torch.from_numpy(~mask)

    def run():
        # Its fast path, nested tensors, needs a mask with padding and no gradients.
        with torch.inference_mode():
            return np.where(mask[..., None], encoder(x, src_key_padding_mask=padding).numpy(), 0.0)

    return run


def _keras(folder, make):
    import tensorflow as tf

    x, mask, layers = encoder_blocks.read(folder)
    model = make(layers)
    tensors = [tf.constant(x), tf.constant(mask)]
    predict = tf.function(lambda: model(tensors, training=False))
    return lambda: np.where(mask[..., None], predict().numpy(), 0.0)


if __name__ == "__main__":
    contest.main()
