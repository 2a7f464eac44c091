"""How fast are the encoder blocks themselves?"""

from benchmarks import encoder_blocks
from benchmarks.contest import OURS, Aim, Contest

BATCH_SIZE, LENGTH = 32, 128

contest = Contest(
    f"Base encoder, forward, {BATCH_SIZE} x {LENGTH}, float32",
    __spec__.name,
    amount=BATCH_SIZE * LENGTH,
    unit="tokens",
    aims=[
        Aim("KerasHub", 1.3),
        Aim("keras.layers", 1.0),
        Aim("torch", 1.2),
        Aim("matrix products alone", 0.9),
        Aim(OURS, 1.0, entrant=f"{OURS} bfloat16"),
    ],
    tolerance={f"{OURS} bfloat16": None, "matrix products alone": None},
)


@contest.inputs
def inputs(folder):
    encoder_blocks.write_weights(folder, BATCH_SIZE, LENGTH)


@contest.entrant(OURS)
def ours(folder):
    return _keras(folder, encoder_blocks.ours)


@contest.entrant(f"{OURS} bfloat16")
def ours_bfloat16(folder):
    return _keras(folder, encoder_blocks.ours, "bfloat16")


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
        with torch.inference_mode():
            return encoder(x, src_key_padding_mask=padding).numpy()

    return run


@contest.entrant("matrix products alone")
def matrix_products(folder):
    import tensorflow as tf

    x, _, layers = encoder_blocks.read(folder)
    x = tf.constant(x.reshape(-1, x.shape[-1]))
    layers = [{name: tf.constant(matrix) for name, matrix in layer.items()} for layer in layers]

    @tf.function
    def multiply():
        y = x
        for layer in layers:
            query, key, value = (
                tf.transpose(tf.reshape(part, (BATCH_SIZE, LENGTH, encoder_blocks.NUM_HEADS, -1)), (0, 2, 1, 3))
                for part in tf.split(y @ layer["query_key_value"], 3, axis=1)
            )
            context = tf.matmul(tf.matmul(query, key, transpose_b=True), value)
            y = tf.reshape(context, y.shape) @ layer["output"]
            y = (y @ layer["expansion"]) @ layer["contraction"]
        return y

    return lambda: multiply().numpy()


def _keras(folder, make, dtype="float32"):
    import tensorflow as tf

    x, mask, layers = encoder_blocks.read(folder)
    model = make(layers, dtype)
    x, mask = tf.constant(x), tf.constant(mask)
    if dtype == "bfloat16":
        x = tf.cast(x, "bfloat16")
    predict = tf.function(lambda: model([x, mask], training=False))
    return lambda: predict().numpy()


if __name__ == "__main__":
    contest.main()
