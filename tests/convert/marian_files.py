"""The golden Marian model: its logits, its copy in Marian's own format, and that format in NumPy."""

import json
import pathlib
import shutil

import numpy as np

from keras_transformer.convert.safetensors_file import read_safetensors
from tests import reference

GOLDEN = pathlib.Path(__file__).parent / "golden"
ORIGINAL = json.loads((GOLDEN / "marian.json").read_text())
PADDING = ORIGINAL["targets"][0]


def logits_of(translator, source_ids):
    inputs = {"source_ids": np.array([source_ids]), "target_ids": np.array([ORIGINAL["targets"]])}
    return np.asarray(translator.transformer(inputs))[0]


CONFIG = """dec-depth: 1
dim-emb: 16
dim-vocabs:
  - {size}
  - {size}
enc-depth: 2
tied-embeddings-all: true
transformer-dim-ffn: 23
transformer-ffn-activation: swish
transformer-heads: 4
transformer-postprocess: dan
transformer-postprocess-emb: d
transformer-preprocess: ""
transformer-tied-layers:
  []
type: transformer
"""


def npz_arrays():
    """The weights of the golden model by the names of Marian, which has no padding id."""
    tensors = read_safetensors(GOLDEN / "marian" / "model.safetensors")
    arrays = {
        "Wemb": tensors["model.shared.weight"][:-1],
        "decoder_ff_logit_out_b": tensors["final_logits_bias"][:, :-1],
        "special:model.yml": np.frombuffer(CONFIG.format(size=PADDING).encode() + b"\0", np.int8),
    }
    for side, depth in (("encoder", 2), ("decoder", 1)):
        for i in range(depth):
            layer, block = f"model.{side}.layers.{i}", f"{side}_l{i + 1}"
            parts = [("self_attn", "self")] + ([("encoder_attn", "context")] if side == "decoder" else [])
            dense = [(f"{layer}.fc{n}", f"{block}_ffn_", str(n)) for n in (1, 2)]
            norms = [(f"{layer}.final_layer_norm", f"{block}_ffn_ffn_ln")]
            for theirs, ours in parts:
                for name in ("q", "k", "v", "out"):
                    dense.append((f"{layer}.{theirs}.{name}_proj", f"{block}_{ours}_", name[0]))
                norms.append((f"{layer}.{theirs}_layer_norm", f"{block}_{ours}_Wo_ln"))
            for theirs, ours, suffix in dense:
                arrays[f"{ours}W{suffix}"] = tensors[f"{theirs}.weight"].T
                arrays[f"{ours}b{suffix}"] = tensors[f"{theirs}.bias"][None]
            for theirs, ours in norms:
                arrays[f"{ours}_scale"] = tensors[f"{theirs}.weight"][None]
                arrays[f"{ours}_bias"] = tensors[f"{theirs}.bias"][None]
    return arrays


def marian_logits(arrays, source_ids, target_ids):
    """The model in float64 NumPy, after Marian's own code: its sinusoids and its epsilon are not transformers'."""
    w = {name: np.asarray(array, "float64") for name, array in arrays.items() if not name.startswith("special")}
    table = np.concatenate([w["Wemb"], np.zeros((1, 16))])  # the padding id, with which decoding begins

    def embed(ids):
        wavelengths = 10000.0 ** (np.arange(8) / 7)
        angles = np.arange(len(ids))[:, None] / wavelengths
        return table[ids] * 4.0 + np.concatenate([np.sin(angles), np.cos(angles)], axis=1)

    def norm(x, name):
        return reference.layer_norm(x, w[f"{name}_ln_scale"][0], w[f"{name}_ln_bias"][0], 1e-6)

    def attend(x, context, name, mask=None):
        names = {"query": "q", "key": "k", "value": "v", "output": "o"}
        matrices = {f"{role}_kernel": w[f"{name}_W{letter}"] for role, letter in names.items()}
        biases = {f"{role}_bias": w[f"{name}_b{letter}"][0] for role, letter in names.items()}
        attended = reference.multi_head_attention(x, context, {**matrices, **biases, "heads": 4}, mask)
        return norm(x + attended, f"{name}_Wo")

    def feed_forward(x, name):
        hidden = x @ w[f"{name}_W1"] + w[f"{name}_b1"]
        hidden = hidden / (1 + np.exp(-hidden))  # swish
        return norm(x + hidden @ w[f"{name}_W2"] + w[f"{name}_b2"], f"{name}_ffn")

    memory = embed(source_ids)
    for i in (1, 2):
        memory = feed_forward(attend(memory, memory, f"encoder_l{i}_self"), f"encoder_l{i}_ffn")
    x = embed(target_ids)
    x = attend(x, x, "decoder_l1_self", np.tri(len(x), dtype=bool))
    x = feed_forward(attend(x, memory, "decoder_l1_context"), "decoder_l1_ffn")
    return x @ w["Wemb"].T + w["decoder_ff_logit_out_b"]


def write_npz(folder):
    """Writes the model as Marian does: an .npz, a YAML vocabulary, the SentencePiece models."""
    folder.mkdir()
    np.savez(folder / "opus.npz.best-perplexity.npz", **npz_arrays())
    ids = json.loads((GOLDEN / "marian" / "vocab.json").read_text())
    lines = [f"{json.dumps(token)}: {i}\n" for token, i in ids.items() if token != "<pad>"]
    (folder / "opus.vocab.yml").write_text("".join(lines))
    for name in ("source.spm", "target.spm"):
        shutil.copy(GOLDEN / "marian" / name, folder)
    return folder
