"""keras-transformer demo: uses the shipped models; trains a translator of dates, draws, exports and uses it."""

import argparse
import datetime
import os
import subprocess
import sys
import time
from typing import Any

from keras_transformer import arguments
from keras_transformer.cli import models
from keras_transformer.cli.outputs import check_folder
from keras_transformer.cli.texts import check_texts

# What a user of the exported model writes; it runs without this package.
_CLIENT = """
import sys
import tensorflow as tf
import tensorflow_hub as hub
import tensorflow_text
model = hub.load(sys.argv[1])
assert "keras_transformer" not in sys.modules
for text, translation in zip(sys.argv[2:], model(tf.constant(sys.argv[2:])).numpy()):
    sys.stdout.buffer.write(f"  {text}  ->  ".encode() + translation + b"\\n")
"""

_SENTENCES = [
    "How old are you?",
    "What is your age?",
    "My phone is not good.",
    "Your cellphone looks great.",
    "Will it snow tomorrow?",
    "Recently a lot of hurricanes have hit the US.",
    "A dog runs through the snow.",
    "An animal is running outside in winter.",
]
_CAPTIONS = ["A dog runs through the snow.", "Two men are playing guitar in front of a large crowd."]


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "demo",
        help="use the shipped models; train a small translator of dates, draw its attention, export it, use it",
        description="Translates and embeds with the models that a checkout carries, then trains a translator of dates "
        "in words between Korean, English, German, French, Spanish and Japanese, and takes it all the way to TF-Hub. "
        "A few minutes on two cores.",
    )
    parser.set_defaults(check=check, run=run)
    parser.add_argument(
        "texts",
        nargs="*",
        metavar="TEXT",
        help="what to translate at the end: the code of the target language (ko, en, de, fr, es, ja), a colon, a date "
        'in words, as "ko: Tuesday, March 5, 2024"',
    )
    parser.add_argument("--out", default="demo-output", metavar="DIR", help="default: %(default)s")
    parser.add_argument("--pairs", type=int, default=40_000, help="training pairs; a tenth as many are held out")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)


def check(args: argparse.Namespace) -> None:
    check_texts("TEXT", args.texts)
    for name in ("pairs", "epochs"):
        arguments.positive_integer(f"--{name}", getattr(args, name))
    check_folder("--out", args.out)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.data.dates import date_pairs
    from keras_transformer.export import next_version
    from keras_transformer.training.date_translator import exact_match, fit_date_translator

    started = time.monotonic()
    _use_the_shipped_translator()
    _use_the_shipped_embedder(os.path.join(args.out, "similarity.png"))
    training, held_out = date_pairs(args.pairs, args.seed)
    print("And now a translator of our own:")
    print(f"{len(training):,} pairs to train on, {len(held_out):,} of other dates held out, such as")
    for source, target in held_out[:4]:
        print(f"  {source}  ->  {target}", flush=True)
    # A tenth chooses the best epoch; the accuracy is that of the rest.
    split = max(1, len(held_out) // 10)
    validation, test = held_out[:split], held_out[split:]
    translator = fit_date_translator(training, validation, args.out, args.epochs, args.seed)
    count, size = translator.transformer.count_params(), translator.tokenizer.vocabulary_size
    print(f"Trained a Transformer of 2 + 2 layers, {count:,} parameters, {size} subwords")
    accuracy = exact_match(translator, test)
    print(f"Held-out dates translated exactly: {accuracy:.1%} of {len(test):,}")
    _draw(translator, os.path.join(args.out, "attention.png"))
    _export_and_use(translator, next_version(os.path.join(args.out, "saved_model")), args.texts or _today())
    print(f"The demo took {time.monotonic() - started:.0f} s; its files are in {args.out}")


def _use_the_shipped_translator():
    """Translates with the English-German model that a checkout carries."""
    from keras_transformer.pipelines import load

    path = _shipped(models.SHIPPED_TRANSLATOR, "translating with a trained model")
    if path is None:
        return
    print(f"{os.path.relpath(path)} translates")
    for text, translation in zip(_CAPTIONS, load(path).translate(_CAPTIONS)):
        print(f"  {text}  ->  {translation}")


def _shipped(name, what):
    """The path of a model that a checkout carries; `None` elsewhere, where the demo says what it leaves out."""
    try:
        return models.shipped_model(name)
    except FileNotFoundError:
        print(f"Left out: {what}. Its model, saved_models/{name}, comes with a checkout: run the demo there.")
        return None


def _use_the_shipped_embedder(picture):
    """Embeds sentences with the model that a checkout carries, and draws how similar they are."""
    from keras_transformer.evaluation import plot_similarity
    from keras_transformer.evaluation.rounding import rounded
    from keras_transformer.pipelines import load, similarity

    path = _shipped(models.SHIPPED_EMBEDDER, "comparing sentences by a trained model")
    if path is None:
        return
    vectors = load(path).embed(_SENTENCES)
    print(f"{os.path.relpath(path)} embeds {len(vectors)} sentences as vectors of {vectors.shape[1]}; nearest to")
    cosines = similarity(vectors, vectors, "cosine")
    for number, row in enumerate(cosines):
        row[number] = -1.0
        print(f"  {_SENTENCES[number]}  is  {_SENTENCES[row.argmax()]} ({rounded(row.max(), 2):.2f})")
    os.makedirs(os.path.dirname(picture), exist_ok=True)
    plot_similarity(_SENTENCES, vectors, picture)
    print(f"Drew how similar they are: {picture}", flush=True)


def _draw(translator, path):
    from keras_transformer.evaluation import plot_attention

    text = "ko: Tuesday, March 5, 2024"
    plot_attention(*translator.attention(text), path, title="Cross-attention")
    print(f"Drew the attention of {text!r}: {path}")


def _export_and_use(translator, path, texts):
    translator.export(path)
    print(f"Exported {path}; a fresh process loads it with tensorflow_hub and translates:", flush=True)
    client = [sys.executable, "-c", _CLIENT, os.path.abspath(path), *texts]
    done = subprocess.run(client, check=False, stderr=subprocess.PIPE)
    if done.returncode:
        raise OSError(f"The fresh process failed:\n{done.stderr.decode(errors='replace')}")


def _today():
    """Today in three languages, to be translated into two others."""
    from keras_transformer.data.dates import write_date

    today = datetime.date.today()
    return [
        f"ko: {write_date(today, 'de')}",
        f"en: {write_date(today, 'ko')}",
        f"fr: {write_date(today, 'ja')}",
    ]
