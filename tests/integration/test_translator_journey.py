"""Train on files -> translate -> reload -> export -> load from the hub -> serve; each in a process of its own."""

import csv
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.hub import HubLayer
from tests import made_data
from tests.integration.processes import run_command, run_python

HELD_OUT, WANTED = made_data.pairs(100, seed=99)
EPOCHS = 4
# Reloads what was trained, then runs the command that exports it.
RELOAD_AND_EXPORT = """
import json, sys, keras, keras_transformer
translator = keras.models.load_model(sys.argv[1] + "/translator.keras")
translations = [text.decode() for text in translator(json.loads(sys.argv[3])).numpy()]
from keras_transformer.cli.main import main
print(json.dumps([translations, main(["export", "--model", sys.argv[1], "--out", sys.argv[2]])]))
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder that `train translator` wrote."""
    folder = tmp_path_factory.mktemp("journey")
    for name, count, seed in (("train", 3000, 1), ("valid", 100, 2)):
        for side, lines in zip(("source", "target"), made_data.pairs(count, seed)):
            (folder / f"{name}.{side}").write_text("\n".join(lines) + "\n")
    run_command(
        "train", "translator", "--source", folder / "train.source", "--target", folder / "train.target",
        "--validation-source", folder / "valid.source", "--validation-target", folder / "valid.target",
        "--out", folder / "out", "--num-layers", 1, "--dropout", 0.0, "--vocabulary-size", 80,
        "--epochs", EPOCHS, "--tokens-per-batch", 256, "--max-length", 64, "--learning-rate", 3e-3,
        "--warmup-steps", 100,
    )  # fmt: skip
    return folder / "out"


@pytest.fixture(scope="module")
def translations(trained):
    out = run_command("translate", "--model", trained, input="\n".join(HELD_OUT) + "\n")
    return out.splitlines()


@pytest.fixture(scope="module")
def reloaded(trained, tmp_path_factory):
    """(what the `.keras` file gives in a fresh process, the folder that the command exported it to)."""
    path = tmp_path_factory.mktemp("exported") / "translator"
    translations, code = run_python(RELOAD_AND_EXPORT, trained, path, json.dumps(HELD_OUT[:9]))
    assert code == 0
    return translations, path


@pytest.fixture(scope="module")
def exported(reloaded):
    return reloaded[1]


def test_it_learned(trained, translations):
    with open(trained / "history.csv") as file:
        perplexities = [float(row["val_perplexity"]) for row in csv.DictReader(file)]
    assert len(perplexities) == EPOCHS and min(perplexities) < 1.3
    correct = np.mean([a == b for a, b in zip(translations, WANTED)])
    assert len(translations) == 100 and correct >= 0.9


def test_keras_reloads_it(reloaded, translations):
    assert reloaded[0] == translations[:9]


def test_the_hub_loads_it_without_this_package(trained, exported, translations):
    script = """
import json, sys
import tensorflow as tf, tensorflow_hub as hub, tensorflow_text
texts = json.loads(sys.argv[2])
model = hub.load(sys.argv[1])
serve = model.signatures["serving_default"]
found = {
    "called": model(texts),
    "served": serve(inputs=tf.constant(texts))["outputs"],
    "alone": tf.concat([serve(inputs=tf.constant([text]))["outputs"] for text in texts], 0),
}
found = {name: [text.decode() for text in value.numpy()] for name, value in found.items()}
found["empty"] = model(tf.constant([], tf.string)).shape.as_list()
found["unusual"] = model(["", "   ", b"\\xff\\xfe", "?!", "\\u6f22"]).shape.as_list()
found["variables"] = [len(model.variables), len(model.trainable_variables), len(model.regularization_losses)]
found["ids"] = model.signatures["ids"](inputs=tf.constant(json.loads(sys.argv[3])))["outputs"].numpy().tolist()
found["imported"] = "keras_transformer" in sys.modules
print(json.dumps(found))
"""

    tokenizer = keras.models.load_model(trained / "translator.keras").tokenizer
    ids = tokenizer(HELD_OUT[:9], add_end=True).numpy().tolist()
    found = run_python(script, exported, json.dumps(HELD_OUT[:9]), json.dumps(ids))
    assert found["called"] == found["served"] == found["alone"] == translations[:9]
    assert [t.decode() for t in tokenizer.detokenize(found["ids"]).numpy()] == translations[:9]
    assert (found["empty"], found["unusual"]) == ([0], [5])
    assert found["variables"][0] == found["variables"][1] > 20 and found["variables"][2] == 0
    assert not found["imported"]


def test_a_keras_model_contains_it(exported, translations):
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, HubLayer(exported)(texts))
    assert [t.decode() for t in model(tf.constant(HELD_OUT[:9])).numpy()] == translations[:9]
