"""Marian models as Hugging Face's transformers saves them."""

import os
import warnings

from keras_transformer.convert.files import read_json, settings, vocabulary_list, weights_file
from keras_transformer.convert.marian import MarianCheckpoint
from keras_transformer.convert.tensors import Tensors, linear
from keras_transformer.decoding import BeamSearch, GreedySearch

_ACTIVATIONS = {"swish": "silu", "silu": "silu", "relu": "relu", "gelu": "gelu"}
# What transformers takes where a config.json does not say, and what ours has a counterpart of.
_ONLY = {
    "scale_embedding": (False, True),
    "static_position_embeddings": (True, True),
    "normalize_before": (False, False),
    "normalize_embedding": (False, False),
    "add_final_layer_norm": (False, False),
    "tie_word_embeddings": (True, True),
}
_ATTENTIONS = {"self": "self_attn", "context": "encoder_attn"}
_LINEAR = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "out_proj", "norm": "layer_norm"}
_FEED_FORWARD = {"1": "fc1", "2": "fc2", "norm": "final_layer_norm"}
_ENCODER_TABLE, _DECODER_TABLE = "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"


def read_hugging_face(folder):
    """The `MarianCheckpoint` in `folder`.

    Raises:
        FileNotFoundError: for a file that is missing.
        ValueError: for what ours has no counterpart of.
    """
    source = os.path.join(folder, "config.json")
    config = read_json(folder, "config.json")
    path = weights_file(folder)
    arguments = _arguments(config, source)
    names = read_json(folder, "tokenizer_config.json", {})
    separate = bool(names.get("separate_vocabs"))
    source_vocabulary = _vocabulary(folder, "vocab.json")
    target_vocabulary = _vocabulary(folder, "target_vocab.json") if separate else source_vocabulary
    _check_ids(config, source, source_vocabulary)
    shares_table = config.get("share_encoder_decoder_embeddings", True)
    every_table = ("model.shared.weight", _ENCODER_TABLE, _DECODER_TABLE, "lm_head.weight")
    return MarianCheckpoint(
        arguments,
        source_vocabulary,
        target_vocabulary,
        Tensors.of_file(path),
        source_table=every_table if shares_table else (_ENCODER_TABLE,),
        target_table=() if shares_table else (_DECODER_TABLE, "lm_head.weight"),
        logits_bias="final_logits_bias",
        names=_names,
        lacks_padding=False,
        unused=("model.*.embed_positions.weight",),
        search=_search({**config, **read_json(folder, "generation_config.json", {})}),
        special_in_text=True,
    )


def _arguments(config, source):
    keys = ("encoder_layers", "decoder_layers", "d_model", "encoder_ffn_dim", "encoder_attention_heads")
    layers, decoder_layers, width, intermediate, heads = settings(config, source, **dict.fromkeys(keys, int))
    unsupported = [
        f"{key}={config.get(key, default)!r}"
        for key, (default, only) in _ONLY.items()
        if config.get(key, default) != only
    ]
    unsupported += [
        f"{key}={config[key]!r}, {other}={config[other]!r}"
        for key, other in (
            ("encoder_ffn_dim", "decoder_ffn_dim"),
            ("encoder_attention_heads", "decoder_attention_heads"),
        )
        if config.get(other, config[key]) != config[key]
    ]
    activation = config.get("activation_function", "gelu")
    if activation not in _ACTIVATIONS:
        unsupported.append(f"activation_function={activation!r}")
    if unsupported:
        raise ValueError(
            "Expected a post-norm Marian model with scaled embeddings, sinusoids and tied logits, equal widths and "
            f"heads on both sides, and an activation of {', '.join(_ACTIVATIONS)} in {source}. "
            f"Received: {'; '.join(unsupported)}"
        )
    return {
        "num_layers": layers,
        "num_decoder_layers": decoder_layers,
        "hidden_dim": width,
        "intermediate_dim": intermediate,
        "num_heads": heads,
        "dropout": config.get("dropout", 0.1),
        "attention_dropout": config.get("attention_dropout", 0.0),
        "activation_dropout": config.get("activation_dropout", 0.0),
        "activation": _ACTIVATIONS[activation],
        "layer_norm_epsilon": 1e-5,
    }


def _check_ids(config, source, vocabulary):
    """Raises `ValueError` unless decoding begins with the padding id and ends as the vocabulary says."""
    expected = {
        "pad_token_id": vocabulary.index("<pad>") if "<pad>" in vocabulary else None,
        "eos_token_id": vocabulary.index("</s>") if "</s>" in vocabulary else None,
        "vocab_size": len(vocabulary),
    }
    expected["decoder_start_token_id"] = expected["pad_token_id"]
    different = {key: config.get(key) for key, value in expected.items() if config.get(key, value) != value}
    if different:
        raise ValueError(f"Expected {expected} in {source}, as the vocabulary has it. Received: {different}")


def _vocabulary(folder, name):
    return vocabulary_list(read_json(folder, name), os.path.join(folder, name))


def _search(config):
    if config.get("early_stopping"):
        warnings.warn(f"early_stopping={config['early_stopping']!r} is not followed", stacklevel=4)
    num_beams = config.get("num_beams") or 1
    if num_beams == 1:
        return GreedySearch()
    penalty = config.get("length_penalty")
    penalty = 1.0 if penalty is None else penalty
    return BeamSearch(num_beams, penalty, length_normalization="power", rules="transformers")


def _names(side, index, role):
    part, _, which = role.partition("_")
    layer = f"model.{side}.layers.{index}."
    if part == "ffn":
        return linear(layer + _FEED_FORWARD[which])
    joint = "_" if which == "norm" else "."
    return linear(f"{layer}{_ATTENTIONS[part]}{joint}{_LINEAR[which]}")
