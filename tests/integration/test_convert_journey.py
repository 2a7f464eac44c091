"""From other libraries' checkpoints to exports that processes without this package load."""

import json
import pathlib

import numpy as np

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
CONVERT = """
import json, sys
from keras_transformer.cli.main import main
from keras_transformer.convert import convert
golden, folder = sys.argv[1:3]
codes = [main(["convert", f"{golden}/{kind}", "--export", f"{folder}/{kind}"]) for kind in ("bert", "marian")]
translations = convert(f"{golden}/marian")(json.loads(sys.argv[3])).numpy()
print(json.dumps([codes, [text.decode() for text in translations]]))
"""


def test_converted_exported_and_loaded_through_the_hub(tmp_path):
    texts = json.loads((GOLDEN / "bert.json").read_text())["texts"]
    short = json.loads((GOLDEN / "marian.json").read_text())["short"][:3]
    codes, translations = run_python(CONVERT, GOLDEN, tmp_path, json.dumps(short))
    assert codes == [0, 0]
    # A NUL cannot be an argument of a process.
    texts = [text.replace("\x00", "") for text in texts]
    found = run_python(SCRIPT, tmp_path, json.dumps(texts), json.dumps(short))
    wanted = json.loads((GOLDEN / "bert.json").read_text())["vectors"]
    np.testing.assert_allclose(found["bert"], wanted, atol=1e-5)
    assert found["marian"] == translations and not found["imported"]
