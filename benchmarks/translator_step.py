"""What do this package's dropout and loss save of a training step of the tiny translator, against Keras' own?

Prints the median, smallest and largest time of interleaved steps, and ratios to all of Keras' own:

    python benchmarks/translator_step.py --threads 1 --dtype mixed_bfloat16
"""

import argparse
import os
import statistics
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of TensorFlow (default: %(default)s)")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--dropout", type=float, default=0.25)
    parser.add_argument("--vocabulary-size", type=int, default=6000)
    parser.add_argument("--sentences", type=int, default=128, help="of 20 positions each")
    parser.add_argument("--steps", type=int, default=15)
    args = parser.parse_args()

    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(args.threads)

    import keras

    from keras_transformer.layers import Dropout
    from keras_transformer.training import LabelSmoothedCrossEntropy

    own_call = Dropout.call
    variants = {
        "Keras' dropout and loss": (keras.layers.Dropout.call, keras_loss(args.vocabulary_size)),
        "Keras' dropout": (keras.layers.Dropout.call, LabelSmoothedCrossEntropy()),
        "Keras' loss": (own_call, keras_loss(args.vocabulary_size)),
        "ours": (own_call, LabelSmoothedCrossEntropy()),
    }
    trainings = {}
    for name, (call, loss) in variants.items():
        Dropout.call = call
        trainings[name] = steps(args, loss)
        for _ in range(3):  # The first one compiles.
            next(trainings[name])
    Dropout.call = own_call
    seconds = {name: [] for name in trainings}
    for _ in range(args.steps):
        for name, training in trainings.items():
            begin = time.perf_counter()
            next(training)
            seconds[name].append(time.perf_counter() - begin)
    first = statistics.median(next(iter(seconds.values())))
    print(f"{args.sentences * 20:,} positions, {args.dtype}, {args.threads} of {os.cpu_count()} threads")
    for name, times in seconds.items():
        median = statistics.median(times)
        shown = f"{1e3 * median:6.0f} ms ({1e3 * min(times):.0f} to {1e3 * max(times):.0f})"
        print(f"  {name:<24} {shown}, {median / first:.2f} of the first")


def keras_loss(vocabulary_size, label_smoothing=0.1):
    """Keras' own cross-entropy with label smoothing, which wants one-hot labels."""
    import keras

    class OneHot(keras.losses.Loss):
        def call(self, labels, logits):
            return keras.losses.categorical_crossentropy(
                keras.ops.one_hot(keras.ops.cast(labels, "int32"), vocabulary_size),
                logits,
                from_logits=True,
                label_smoothing=label_smoothing,
            )

    return OneHot()


def steps(args, loss):
    """A training of the tiny Transformer on one made batch, over and over."""
    import keras
    import numpy as np
    import tensorflow as tf

    from keras_transformer.models import Transformer
    from keras_transformer.training import TrainingLoop

    model = Transformer.from_preset(
        "tiny", args.vocabulary_size, norm_first=True, dropout=args.dropout, dtype=args.dtype
    )
    model.compile(keras.optimizers.Adam(1e-4), loss)
    ids = np.random.default_rng(0).integers(4, args.vocabulary_size, (args.sentences, 20)).astype("int32")
    batch = {"source_ids": ids, "target_ids": ids}, ids
    return TrainingLoop(model).steps(tf.data.Dataset.from_tensors(batch).repeat())


if __name__ == "__main__":
    main()
