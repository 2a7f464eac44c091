"""From other libraries' checkpoints to exports that a process without this package loads."""

import json
import pathlib
import shutil

import numpy as np

from keras_transformer.cli.main import main
from tests.convert import originals
from tests.integration.processes import run_python

GOLDEN = pathlib.Path(__file__).parents[1] / "convert" / "golden"
SCRIPT = """
import json, sys
import tensorflow as tf, tensorflow_hub as hub, tensorflow_text
folder, texts, short = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
embedder = hub.load(f"{folder}/bert")
translator = hub.load(f"{folder}/marian")
print(json.dumps({
    "bert": embedder(texts).numpy().tolist(),
    "marian": [text.decode() for text in translator(short).numpy()],
    "imported": "keras_transformer" in sys.modules,
}))
"""


def test_converted_exported_and_loaded_through_the_hub(tmp_path):
    folder = shutil.copytree(GOLDEN / "marian", tmp_path / "checkpoint")
    originals.change_generation(folder, originals.GENERATION[0])
    for kind, checkpoint in (("bert", GOLDEN / "bert"), ("marian", folder)):
        assert main(["convert", str(checkpoint), "--export", str(tmp_path / kind)]) == 0
    original = json.loads((GOLDEN / "bert.json").read_text())
    # A NUL cannot be an argument of a process.
    texts = [text.replace("\x00", "") for text in original["texts"]]
    marian = json.loads((GOLDEN / "marian.json").read_text())
    found = run_python(SCRIPT, tmp_path, json.dumps(texts), json.dumps(marian["short"]))
    np.testing.assert_allclose(found["bert"], original["vectors"], atol=1e-5)
    assert found["marian"] == marian["generation"][0]
    assert not found["imported"]
