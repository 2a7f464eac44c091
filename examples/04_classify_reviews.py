"""The English sentence encoder of saved_models/ as a layer of a classifier: frozen, then fine-tuned.

python examples/04_classify_reviews.py mr.tsv.gz

Each line of the file is a label, a tab and a text; a tenth of the lines is held out.
"""

import argparse
import pathlib

import keras
import numpy as np

from keras_transformer.data import read_rows
from keras_transformer.hub import HubLayer

NEWEST = max((pathlib.Path(__file__).parents[1] / "saved_models" / "sentence_encoder_en").glob("[0-9]*"))


def classifier(num_labels: int, trainable: bool, learning_rate: float) -> keras.Model:
    texts = keras.Input((), dtype="string")
    x = HubLayer(str(NEWEST), trainable=trainable)(texts)
    x = keras.layers.Dropout(0.2)(x * 8.0)  # the entries of unit vectors are small
    model = keras.Model(texts, keras.layers.Dense(num_labels)(x))
    model.compile(
        keras.optimizers.Adam(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--epochs", type=int, nargs=2, default=[6, 2], help="with a frozen and a fine-tuned encoder")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    labels, texts = zip(*read_rows(args.file, ("label", "text")))
    names, labels = np.unique(labels, return_inverse=True)
    texts = np.asarray(texts, object)
    order = np.random.permutation(len(texts))
    held_out, training = np.split(order, [len(order) // 10])
    for name, trainable, rate, epochs in (
        ("frozen", False, 1e-2, args.epochs[0]),
        ("fine-tuned", True, 5e-4, args.epochs[1]),
    ):
        model = classifier(len(names), trainable, rate)
        model.fit(texts[training], labels[training], batch_size=64, epochs=epochs, verbose=0)
        _, accuracy = model.evaluate(texts[held_out], labels[held_out], batch_size=256, verbose=0)
        print(f"Encoder {name}: accuracy {accuracy:.1%} of {len(held_out):,} held out", flush=True)


if __name__ == "__main__":
    main()
