"""Exports pipelines: python write_exports.py PIPELINES OUT TEXTS [GOLDEN CONVERTED SHORT_TEXTS]

PIPELINES has `.keras` files. With GOLDEN, which has checkpoints of other libraries, it also writes frozen exports, and
exports of the converted checkpoints into CONVERTED. Prints JSON: the converted translator's outputs for SHORT_TEXTS.
"""

import json
import os
import sys

import keras

import keras_transformer  # noqa: F401 - registers the classes
from keras_transformer.cli.main import main
from keras_transformer.convert import convert
from keras_transformer.decoding import GreedySearch, Sampling
from keras_transformer.hub import HubLayer


def write_trainable(folder: str, out: str, texts: list[str]) -> dict[str, keras.Model]:
    pipelines = {}
    for name in ("translator", "embedder", "question_answer"):
        pipelines[name] = keras.models.load_model(os.path.join(folder, name + ".keras"))
        pipelines[name].export(os.path.join(out, name, "1"), warmup_texts=texts)
    return pipelines


def write_frozen(pipelines: dict[str, keras.Model], out: str, texts: list[str]) -> None:
    embedder = pipelines["embedder"]
    embedder.export(os.path.join(out, "embedder", "2"), frozen=True)
    embedder.export(os.path.join(out, "embedder", "3"), frozen=True, dtype="bfloat16")
    embedder.export(os.path.join(out, "embedder", "4"), frozen=True, dtype="int8")
    embedder.export(os.path.join(out, "embedder", "5"), frozen=True, dtype="int8", calibration_texts=texts)
    translator = pipelines["translator"]
    translator.search = GreedySearch()
    translator.export(os.path.join(out, "translator", "2"), frozen=True, dtype="int8")
    translator.search = Sampling(top_k=3)
    translator.export(os.path.join(out, "translator", "3"), frozen=True)
    layer = HubLayer(os.path.join(out, "embedder", "1"))
    softmax = keras.layers.Dense(2, activation="softmax")
    classifier = keras.Sequential([keras.Input((), dtype="string"), layer, softmax])
    classifier.export(os.path.join(out, "classifier", "1"), verbose=False)


def write_converted(golden: str, out: str, texts: list[str]) -> list[str]:
    """Returns the Marian model's translations."""
    for name in ("bert", "marian"):
        assert main(["convert", os.path.join(golden, name), "--export", os.path.join(out, name)]) == 0
    return [text.decode() for text in convert(os.path.join(golden, "marian"))(texts).numpy()]


if __name__ == "__main__":
    folder, out, texts, *others = sys.argv[1:]
    # Exports are compared with those of a process that writes nothing else, so they come first.
    pipelines = write_trainable(folder, out, json.loads(texts))
    translations = []
    if others:
        golden, converted, short = others
        write_frozen(pipelines, out, json.loads(texts))
        translations = write_converted(golden, converted, json.loads(short))
    print(json.dumps(translations))
