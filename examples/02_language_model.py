"""A decoder-only language model from the same blocks; it completes a date.

python examples/02_language_model.py --epochs 10 --prompt "Tuesday, Ma"
"""

import argparse
import datetime

import keras
import numpy as np
import tensorflow as tf

from keras_transformer.data.dates import write_date
from keras_transformer.layers import EncoderBlock, PositionalEncoding, TokenEmbedding
from keras_transformer.text import ByteTokenizer
from keras_transformer.training import LabelSmoothedCrossEntropy, Perplexity

TOKENIZER = ByteTokenizer()


def language_model(width: int = 64) -> keras.Model:
    ids = keras.Input((None,), dtype="int32")
    embedding = TokenEmbedding(TOKENIZER.vocabulary_size, width)
    x = PositionalEncoding()(embedding(ids))
    for _ in range(2):
        x = EncoderBlock(num_heads=4, intermediate_dim=2 * width, dropout=0.0)(x, use_causal_mask=True)
    return keras.Model(ids, embedding(x, reverse=True))


def complete(model: keras.Model, prompt: str, length: int = 40) -> str:
    """Greedy decoding, one byte at a time. (`Transformer` decodes faster, with a key-value cache.)"""
    ids = TOKENIZER([prompt], add_begin=True).numpy()
    while ids[0, -1] != TOKENIZER.end_id and ids.shape[1] < length:
        ids = np.append(ids, [[np.argmax(model(ids)[0, -1])]], axis=1)
    return TOKENIZER.detokenize(ids).numpy()[0].decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--prompt", default="Tuesday, Ma")
    args = parser.parse_args()
    keras.utils.set_random_seed(1)
    days = (datetime.date(1990, 1, 1) + datetime.timedelta(days=i) for i in range(0, 10_000, 3))
    ids = TOKENIZER([write_date(day, "en") for day in days], add_begin=True, add_end=True)
    data = tf.data.Dataset.from_tensor_slices((ids[:, :-1], ids[:, 1:])).shuffle(4000).batch(64)
    model = language_model()
    model.compile(
        keras.optimizers.Adam(3e-3), LabelSmoothedCrossEntropy(0.0), metrics=[Perplexity()], jit_compile=False
    )
    model.fit(data, epochs=args.epochs)
    print(f"{args.prompt!r} goes on as {complete(model, args.prompt)!r}")


if __name__ == "__main__":
    main()
