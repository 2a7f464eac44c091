"""Cold start to the first embedding: import, load, embed one string."""

import pathlib

from benchmarks import minilm
from benchmarks.benchmark import OURS, Benchmark, Run, Target
from benchmarks.fresh_process import in_fresh_process

benchmark = Benchmark(
    "From the start of a program to the first vector, MiniLM",
    __spec__.name,
    unit="programs",
    rounds=5,
    warm_ups=1,
    targets=[Target("sentence-transformers", 1.0), Target("KerasHub", 1.0)],
)

_OURS = """
import sys
import tensorflow as tf
import tensorflow_text
loaded = tf.saved_model.load(sys.argv[1])
assert loaded(tf.constant(["A young man is playing the guitar."])).shape == (1, 384)
"""
_SENTENCE_TRANSFORMERS = """
import sys
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
assert model.encode(["A young man is playing the guitar."]).shape == (1, 384)
"""
_ONNX_RUNTIME = """
import sys
import numpy as np
import onnxruntime
from tokenizers import Tokenizer
ids = np.array([Tokenizer.from_file(sys.argv[2]).encode("A young man is playing the guitar.").ids])
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
vector = session.run(["tokens"], inputs)[0].mean(axis=1)
assert vector.shape == (1, 384)
"""
_WRITE_KERAS_HUB = """
import sys
import keras_hub
backbone = keras_hub.models.BertBackbone(
    vocabulary_size=30522, num_layers=6, num_heads=12, hidden_dim=384, intermediate_dim=1536, max_sequence_length=512
)
backbone.save_to_preset(sys.argv[1])
keras_hub.tokenizers.BertTokenizer(vocabulary=sys.argv[2], lowercase=True).save_to_preset(sys.argv[1])
"""
_KERAS_HUB = """
import sys
import keras
import keras_hub
tokenizer = keras_hub.tokenizers.BertTokenizer.from_preset(sys.argv[1])
backbone = keras_hub.models.BertBackbone.from_preset(sys.argv[1])
ids = keras.ops.convert_to_tensor(tokenizer(["A young man is playing the guitar."]))
ones, zeros = keras.ops.ones_like(ids), keras.ops.zeros_like(ids)
outputs = backbone({"token_ids": ids, "padding_mask": ones, "segment_ids": zeros})
assert outputs["sequence_output"].shape[-1] == 384
"""


@benchmark.inputs
def inputs(folder: pathlib.Path) -> None:
    minilm.write(folder)


@benchmark.subject(OURS)
def ours(folder: pathlib.Path) -> Run:
    return in_fresh_process(_OURS, folder / "default")


@benchmark.subject(f"{OURS} frozen")
def ours_frozen(folder: pathlib.Path) -> Run:
    """Faster for each text, slower to start: what makes a graph ready to run goes over its constants many times."""
    return in_fresh_process(_OURS, folder / "float32")


@benchmark.subject("sentence-transformers")
def sentence_transformers(folder: pathlib.Path) -> Run:
    return in_fresh_process(_SENTENCE_TRANSFORMERS, minilm.checkpoint())


@benchmark.subject("KerasHub")
def keras_hub(folder: pathlib.Path) -> Run:
    """A preset on disk of the same size, with random weights: it has no sentence encoder to convert to."""
    preset = folder / "keras_hub"
    in_fresh_process(_WRITE_KERAS_HUB, preset, minilm.checkpoint() / "vocab.txt")()
    return in_fresh_process(_KERAS_HUB, preset)


@benchmark.subject("ONNX Runtime")
def onnx_runtime(folder: pathlib.Path) -> Run:
    return in_fresh_process(_ONNX_RUNTIME, folder / minilm.ONNX_FLOAT32, minilm.checkpoint() / "tokenizer.json")


if __name__ == "__main__":
    benchmark.main()
