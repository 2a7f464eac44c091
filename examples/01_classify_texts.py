"""A text classifier stacked from layers, with strings in: which language is a date written in?

python examples/01_classify_texts.py --epochs 3
"""

import argparse
import datetime
import random

import keras
import tensorflow as tf

from keras_transformer.data.dates import LANGUAGES, write_date
from keras_transformer.layers import EncoderBlock, PositionalEncoding, SequencePooling, TokenEmbedding
from keras_transformer.text import ByteTokenizer


def examples(count: int, seed: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns texts, and the index of each one's language."""
    generator = random.Random(seed)
    labels = generator.choices(range(len(LANGUAGES)), k=count)
    days = (datetime.date.fromordinal(generator.randint(700_000, 740_000)) for _ in labels)
    return tf.constant([write_date(day, LANGUAGES[i]) for day, i in zip(days, labels)]), tf.constant(labels)


def classifier(width: int = 32) -> keras.Model:
    tokenizer = ByteTokenizer()
    texts = keras.Input((), dtype="string")
    x = TokenEmbedding(tokenizer.vocabulary_size, width)(tokenizer(texts))
    x = PositionalEncoding()(x)
    for _ in range(2):
        x = EncoderBlock(num_heads=4, intermediate_dim=2 * width, dropout=0.1)(x)
    x = SequencePooling("mean")(x)  # over real positions: layers pass the padding mask on
    return keras.Model(texts, keras.layers.Dense(len(LANGUAGES), activation="softmax")(x))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    epochs = parser.parse_args().epochs
    keras.utils.set_random_seed(1)
    model = classifier()
    # XLA does not compile strings.
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    model.fit(*examples(2000, seed=1), validation_data=examples(500, seed=2), epochs=epochs)
    _, accuracy = model.evaluate(*examples(500, seed=3), verbose=0)
    print(f"Accuracy on other dates: {accuracy:.1%}")


if __name__ == "__main__":
    main()
