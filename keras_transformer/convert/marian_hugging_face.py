"""Marian models in the layout of Hugging Face's transformers."""

import os

from keras_transformer.convert.files import (
    read_json,
    reading,
    settings,
    vocabulary_list,
    warn_of_ignored,
    weights_file,
)
from keras_transformer.convert.generation import GENERATION_KEYS, OF_ANY_MODEL, read_search
from keras_transformer.convert.marian import MarianCheckpoint
from keras_transformer.convert.tensors import Tensors, linear

_ACTIVATIONS = {"swish": "silu", "silu": "silu", "relu": "relu", "gelu": "gelu"}
# setting: (the default of transformers, the supported value).
_ONLY = {
    "scale_embedding": (False, True),
    "static_position_embeddings": (True, True),
    "normalize_before": (False, False),
    "normalize_embedding": (False, False),
    "add_final_layer_norm": (False, False),
    "tie_word_embeddings": (True, True),
}
_SUPPORTED = {
    *_ONLY, "encoder_layers", "decoder_layers", "d_model", "encoder_ffn_dim", "decoder_ffn_dim",
    "encoder_attention_heads", "decoder_attention_heads", "activation_function", "dropout", "attention_dropout",
    "activation_dropout", "vocab_size", "decoder_vocab_size", "pad_token_id", "eos_token_id",
    "share_encoder_decoder_embeddings",
}  # fmt: skip
# Settings of training and of heads that are not converted, and settings that repeat another one.
_WITHOUT_EFFECT = {
    *GENERATION_KEYS, *OF_ANY_MODEL, "add_bias_logits", "add_cross_attention", "bos_token_id", "classif_dropout",
    "classifier_dropout", "decoder_layerdrop", "encoder_layerdrop", "extra_pos_embeddings",
    "force_bos_token_to_be_generated", "init_std", "is_decoder", "max_position_embeddings", "model_type",
    "num_hidden_layers", "use_cache",
}  # fmt: skip
# Settings of tokenizer_config.json that are true of every Marian tokenizer.
_OF_TOKENIZER = {
    "separate_vocabs", "source_lang", "target_lang", "tokenizer_class", "added_tokens_decoder", "backend", "bos_token",
    "clean_up_tokenization_spaces", "eos_token", "is_local", "local_files_only", "model_max_length", "name_or_path",
    "pad_token", "processor_class", "return_tensors", "source_spm", "sp_model_kwargs", "special_tokens_map_file",
    "target_spm", "target_vocab_file", "tokenizer_file", "unk_token", "vocab", "vocab_file",
    "additional_special_tokens", "extra_special_tokens", "padding_side", "truncation_side",
}  # fmt: skip
_TOKENS = {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "</s>"}
_ATTENTIONS = {"self": "self_attn", "context": "encoder_attn"}
_LINEAR = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "out_proj", "norm": "layer_norm"}
_FEED_FORWARD = {"1": "fc1", "2": "fc2", "norm": "final_layer_norm"}
_ENCODER_TABLE, _DECODER_TABLE = "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"


def read_hugging_face(folder: str) -> MarianCheckpoint:
    """Reads the checkpoint in `folder`.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: for an unsupported architecture, tokenizer or setting.
    """
    source = os.path.join(folder, "config.json")
    config = read_json(folder, "config.json")
    tensors = Tensors.of_file(weights_file(folder))
    with reading(source):
        arguments = _arguments(config, source)
        warn_of_ignored(config, source, _SUPPORTED, _WITHOUT_EFFECT)
    separate = _has_separate_vocabularies(folder)
    source_vocabulary = _vocabulary(folder, "vocab.json")
    target_vocabulary = _vocabulary(folder, "target_vocab.json") if separate else source_vocabulary
    with reading(source):
        ids = _checked_ids(config, source, source_vocabulary)
    search, max_length = read_search(folder, config, ids)
    shares_table = config.get("share_encoder_decoder_embeddings", True)
    every_table = ("model.shared.weight", _ENCODER_TABLE, _DECODER_TABLE, "lm_head.weight")
    return MarianCheckpoint(
        arguments,
        source_vocabulary,
        target_vocabulary,
        tensors,
        source_table=every_table if shares_table else (_ENCODER_TABLE,),
        target_table=() if shares_table else (_DECODER_TABLE, "lm_head.weight"),
        logits_bias="final_logits_bias",
        names=_names,
        lacks_padding=False,
        unused=("model.*.embed_positions.weight",),
        search=search,
        max_length=max_length,
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


def _has_separate_vocabularies(folder):
    source = os.path.join(folder, "tokenizer_config.json")
    config = read_json(folder, "tokenizer_config.json", {})
    warn_of_ignored(config, source, _OF_TOKENIZER)
    with reading(source):
        tokens = {key: config.get(key) or token for key, token in _TOKENS.items()}
        tokens = {key: token["content"] if isinstance(token, dict) else token for key, token in tokens.items()}
        added = [token["content"] for token in config.get("added_tokens_decoder", {}).values()]
        added += config.get("additional_special_tokens") or config.get("extra_special_tokens") or []
        kind = config.get("tokenizer_class") or "MarianTokenizer"
        other = [token for token in added if token not in _TOKENS.values()]
        other += [
            f"{key}={config[key]!r}"
            for key, only in (("sp_model_kwargs", {}), ("padding_side", "right"), ("truncation_side", "right"))
            if config.get(key) not in (None, only)
        ]
        if tokens != _TOKENS or other or kind != "MarianTokenizer":
            raise ValueError(
                f"Expected a MarianTokenizer with the special tokens {', '.join(_TOKENS.values())} alone in {source}. "
                f"Received: {kind} with {', '.join([*tokens.values(), *other])}"
            )
    return bool(config.get("separate_vocabs"))


def _checked_ids(config, source, vocabulary):
    """The ids of the special tokens. Decoding must begin with the padding id and end with that of </s>."""
    expected = {
        "pad_token_id": vocabulary.index("<pad>") if "<pad>" in vocabulary else None,
        "eos_token_id": vocabulary.index("</s>") if "</s>" in vocabulary else None,
        "vocab_size": len(vocabulary),
    }
    expected["decoder_start_token_id"] = expected["pad_token_id"]
    different = {key: config.get(key) for key, value in expected.items() if config.get(key, value) != value}
    if different:
        raise ValueError(f"Expected {expected} in {source}, as the vocabulary has it. Received: {different}")
    return {key: value for key, value in expected.items() if key != "vocab_size"}


def _vocabulary(folder, name):
    return vocabulary_list(read_json(folder, name), os.path.join(folder, name))


def _names(side, index, role):
    part, _, which = role.partition("_")
    layer = f"model.{side}.layers.{index}."
    if part == "ffn":
        return linear(layer + _FEED_FORWARD[which])
    joint = "_" if which == "norm" else "."
    return linear(f"{layer}{_ATTENTIONS[part]}{joint}{_LINEAR[which]}")
