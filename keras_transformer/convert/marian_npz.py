"""Marian's own checkpoints: an .npz with the weights and the configuration, and vocabularies in YAML."""

import glob
import os

import numpy as np

from keras_transformer.convert.files import check_no_pointer, reading, vocabulary_list, warn_of_ignored
from keras_transformer.convert.flat_yaml import read_flat_yaml
from keras_transformer.convert.marian import MarianCheckpoint
from keras_transformer.convert.tensors import Tensors
from keras_transformer.decoding import BeamSearch, GreedySearch
from keras_transformer.types import PathLike

_CONFIGURATION = "special:model.yml"
_ACTIVATIONS = {"swish": "silu", "relu": "relu"}
# The supported values, the first of which is assumed if a checkpoint does not say.
_ONLY = {
    "type": ("transformer",),
    "transformer-preprocess": ("",),
    "transformer-postprocess": ("dan",),  # dropout, addition, normalisation
    "transformer-postprocess-emb": ("d", ""),
    "transformer-ffn-depth": ("2",),
    "transformer-decoder-autoreg": ("self-attention",),
    "transformer-train-position-embeddings": ("false",),
    "transformer-no-projection": ("false",),
    "right-left": ("false",),
    "input-types": ([], ["sequence", "sequence"]),
    "transformer-tied-layers": ([], ""),
}
# Settings of decoder.yml about paths and speed.
_WITHOUT_EFFECT = {
    "alignment", "cpu-threads", "devices", "interpolate-env-vars", "log", "log-level", "maxi-batch", "maxi-batch-sort",
    "mini-batch", "mini-batch-words", "models", "num-devices", "optimize", "precision", "quiet", "quiet-translation",
    "relative-paths", "seed", "version", "vocabs", "workspace",
}  # fmt: skip
# Unsupported settings of decoder.yml, each with the value that changes nothing.
_NEUTRAL = {
    "allow-unk": "false", "max-length": "1000", "max-length-crop": "false", "max-length-factor": "3", "n-best": "false",
    "output-sampling": "false", "right-left": "false", "shortlist": "", "skip-cost": "false", "weights": "",
    "word-penalty": "0", "xml-input": "false",
}  # fmt: skip


def npz_files(folder: PathLike) -> list[str]:
    """The .npz files in `folder`, sorted."""
    return sorted(glob.glob(os.path.join(glob.escape(os.fspath(folder)), "*.npz")))


def read_npz(folder: PathLike) -> MarianCheckpoint:
    """Reads the checkpoint in `folder`: one .npz, one *vocab.yml or two (*.src.vocab.yml, *.trg.vocab.yml).

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: for an unsupported architecture or setting, and for damaged files.
    """
    paths = npz_files(folder)
    if len(paths) != 1:
        raise ValueError(f"Expected one .npz file in {folder}. Received: {', '.join(map(os.path.basename, paths))}")
    (path,) = paths
    with reading(path):
        return _checkpoint(folder, path)


def _checkpoint(folder, path):
    arrays = _read_arrays(path)
    if _CONFIGURATION not in arrays:
        raise ValueError(f"Expected a Marian model with {_CONFIGURATION} in {path}. Received: {', '.join(arrays)}")
    text = arrays.pop(_CONFIGURATION).tobytes().rstrip(b"\0").decode("utf-8", "replace")
    config = read_flat_yaml(text, f"{path}, {_CONFIGURATION}")
    shares_all = config.get("tied-embeddings-all") == "true"
    shares_table = shares_all or config.get("tied-embeddings-src") == "true"
    source_vocabulary, target_vocabulary = _vocabularies(folder)
    return MarianCheckpoint(
        _arguments(config, path, shares_all),
        source_vocabulary,
        target_vocabulary,
        Tensors(arrays, path, transposed=False),
        source_table=("Wemb",) if shares_table else ("encoder_Wemb",),
        target_table=() if shares_table else ("decoder_Wemb",),
        logits_bias="decoder_ff_logit_out_b",
        names=_names,
        lacks_padding=True,
        unused=("special:*",),
        search=_search(folder),
        max_length=None,
        special_in_text=False,
    )


def _read_arrays(path):
    check_no_pointer(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:  # zipfile, zlib, and NumPy's parser of headers each raise their own
        raise ValueError(f"Expected an .npz file of numbers. Received: {path} ({error})") from None
    # Marian stores a vector as a matrix of one row.
    is_vector = [name for name, array in arrays.items() if array.ndim == 2 and len(array) == 1]
    return {**arrays, **{name: arrays[name][0] for name in is_vector if name != "decoder_ff_logit_out_b"}}


def _arguments(config, path, shares_all):
    unsupported = [f"{key}={config[key]!r}" for key, only in _ONLY.items() if config.get(key, only[0]) not in only]
    activation = config.get("transformer-ffn-activation", "swish")
    if activation not in _ACTIVATIONS:
        unsupported.append(f"transformer-ffn-activation={activation!r}")
    if not shares_all and config.get("tied-embeddings") != "true":
        unsupported.append(f"tied-embeddings={config.get('tied-embeddings')!r}")
    if unsupported:
        raise ValueError(
            "Expected a post-norm transformer with sinusoids, tied logits, and an activation of "
            f"{', '.join(_ACTIVATIONS)} in {path}. Received: {'; '.join(unsupported)}"
        )
    keys = ("enc-depth", "dec-depth", "dim-emb", "transformer-dim-ffn", "transformer-heads")
    faults = [f"{key}={config.get(key)!r}" for key in keys if not str(config.get(key)).isdecimal()]
    if faults:
        raise ValueError(f"Expected numbers for {', '.join(keys)} in {path}. Received: {', '.join(faults)}")
    layers, decoder_layers, width, intermediate, heads = (int(config[key]) for key in keys)
    return {
        "num_layers": layers,
        "num_decoder_layers": decoder_layers,
        "hidden_dim": width,
        "intermediate_dim": intermediate,
        "num_heads": heads,
        "activation": _ACTIVATIONS[activation],
        "layer_norm_epsilon": 1e-6,
        # The last of Marian's D / 2 wavelengths is 10000. The paper's series would reach 10000 one step later.
        "max_wavelength": 10000.0 ** (width / (width - 2)),
    }


def _vocabularies(folder):
    paths = sorted(glob.glob(os.path.join(glob.escape(os.fspath(folder)), "*vocab.yml")))
    sides = [path for path in paths if path.endswith((".src.vocab.yml", ".trg.vocab.yml"))]
    paths = sides if len(sides) == 2 else paths
    if len(paths) not in (1, 2) or (len(paths) == 2 and paths != sides):
        raise FileNotFoundError(
            "Expected one file *vocab.yml, or *.src.vocab.yml and *.trg.vocab.yml. "
            f"Received in {folder}: {', '.join(map(os.path.basename, paths)) or 'none'}"
        )
    vocabularies = [_vocabulary(path) for path in paths]
    return vocabularies[0], vocabularies[-1]


def _vocabulary(path):
    """The tokens, ordered by id, and behind them a padding token, which Marian does not have."""
    ids = _read_yaml(path)
    if not all(str(value).isdecimal() for value in ids.values()):
        raise ValueError(f"Expected token: id in {path}. Received others")
    with reading(path):
        return [*vocabulary_list({token: int(value) for token, value in ids.items()}, path), "<pad>"]


def _read_yaml(path):
    check_no_pointer(path)
    with reading(path), open(path, encoding="utf-8", newline="\n") as file:
        return read_flat_yaml(file.read(), path)


def _search(folder):
    """The search that decoder.yml describes. Unsupported settings are reported in a warning."""
    path = os.path.join(folder, "decoder.yml")
    config = _read_yaml(path) if os.path.isfile(path) else {}
    warn_of_ignored(config, path, {"beam-size", "normalize"}, _WITHOUT_EFFECT, _NEUTRAL)
    with reading(path):
        beam_size = int(config.get("beam-size", 6))
        if beam_size == 1:
            return GreedySearch()
        return BeamSearch(beam_size, float(config.get("normalize", 1.0)), length_normalization="power")


def _names(side, index, role):
    part, _, which = role.partition("_")
    block = f"{side}_l{index + 1}_{part}_"
    if which == "norm":
        last = "ffn" if part == "ffn" else "Wo"
        return f"{block}{last}_ln_scale", f"{block}{last}_ln_bias"
    return f"{block}W{which}", f"{block}b{which}"
