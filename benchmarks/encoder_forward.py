"""Speed of the encoder blocks alone."""

import pathlib

from benchmarks import encoder_blocks
from benchmarks.benchmark import OURS, Benchmark, Run, Target

BATCH_SIZE, LENGTH = 32, 128

benchmark = Benchmark(
    f"Base encoder, forward, {BATCH_SIZE} x {LENGTH}, float32",
    __spec__.name,
    amount=BATCH_SIZE * LENGTH,
    unit="tokens",
    targets=[
        Target("KerasHub", 1.3),
        Target("keras.layers", 1.0),
        Target("torch", 1.2),
        Target("matrix products alone", 0.9),
        Target(OURS, 1.0, subject=f"{OURS} bfloat16"),
    ],
    tolerance={f"{OURS} bfloat16": None, "matrix products alone": None},
)


@benchmark.inputs
def inputs(folder: pathlib.Path) -> None:
    encoder_blocks.write_weights(folder, BATCH_SIZE, LENGTH)


encoder_blocks.add_subjects(benchmark, encoder_blocks.keras_forward)
encoder_blocks.add_subjects(
    benchmark, encoder_blocks.keras_forward, {f"{OURS} bfloat16": encoder_blocks.ours}, dtype="bfloat16"
)
benchmark.subject("torch")(encoder_blocks.torch_forward)


@benchmark.subject("matrix products alone")
def matrix_products(folder: pathlib.Path) -> Run:
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


if __name__ == "__main__":
    benchmark.main()
