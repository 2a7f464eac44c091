"""Sentence encoders in the layout of sentence-transformers: modules.json, a BERT or MPNet, pooling, projections."""

import os

from keras_transformer.convert import bert
from keras_transformer.convert.files import read_json, settings, weights_file
from keras_transformer.convert.tensors import Tensors, linear
from keras_transformer.convert.word_piece import read_tokenizer
from keras_transformer.models import BertEncoder
from keras_transformer.pipelines import TextEmbedder

_MODULES = ("Transformer", "Pooling", "Dense", "Normalize")
# sentence-transformers' name, ours; several are joined in this order if each has a flag of its own.
_POOLING = {"cls": "first", "max": "max", "mean": "mean", "mean_sqrt_len_tokens": "sqrtn"}
_POOLING_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_DENSE_ACTIVATIONS = {"Identity": "linear", "Tanh": "tanh", "ReLU": "relu", "GELU": "gelu", "Sigmoid": "sigmoid"}
_DENSE_KEYS = {"in_features", "out_features", "bias", "activation_function"}
_DENSE_NAMES = {"module_input_name", "module_output_name"}  # of the vector that every module passes on


def convert_sentence_encoder(folder, dtype=None):
    """A `TextEmbedder` from a folder of sentence-transformers.

    Args:
        folder: with modules.json, config.json, model.safetensors, a WordPiece vocabulary.
        dtype: dtype or dtype policy of the encoder.

    Raises:
        FileNotFoundError: for a file that is missing.
        ValueError: for an architecture, module or setting that has no counterpart, and tensors that do not fit.
    """
    _check_prompt(folder)
    (transformer, _), (pooling, _), *projections = _modules(folder)
    unit_length = bool(projections) and projections[-1][1] == "Normalize"
    if unit_length:
        projections.pop()
    limits = read_json(transformer, "sentence_bert_config.json", {})
    architecture = bert.read_architecture(transformer)
    tokenizer = read_tokenizer(transformer, architecture.model_type, bool(limits.get("do_lower_case")))
    encoder = BertEncoder(
        **architecture.arguments,
        pooling=_pooling(pooling),
        projections=[_projection(path) for path, _ in projections],
        unit_length=unit_length,
        dtype=dtype,
    )
    embedder = TextEmbedder(encoder, tokenizer, _max_length(transformer, limits, encoder.position_embedding.max_length))
    if tokenizer.vocabulary_size > encoder.token_embedding.vocabulary_size:
        raise ValueError(
            f"Expected a vector for each of the {tokenizer.vocabulary_size} subwords in {transformer}. "
            f"Received: vocab_size={encoder.token_embedding.vocabulary_size}"
        )
    bert.load_weights(encoder, architecture, Tensors.of_file(weights_file(transformer)))
    for layer, (path, _) in zip(encoder.projections, projections):
        tensors = Tensors.of_file(weights_file(path))
        tensors.load_dense(layer, linear("linear"))
        tensors.finish()
    return embedder


def _modules(folder):
    """The (path, kind) of each module: a transformer, a pooling, projections, and "Normalize" where that is last."""
    modules = read_json(folder, "modules.json", kind=list)
    try:
        kinds = [
            (os.path.normpath(os.path.join(folder, module["path"])), module["type"].rsplit(".", 1)[-1])
            for module in modules
        ]
    except (TypeError, KeyError, AttributeError):
        raise ValueError(f"Expected a list of modules with path and type in {folder}/modules.json") from None
    received = [kind for _, kind in kinds]
    unsupported = [kind for kind in received if kind not in _MODULES]
    if unsupported:
        raise ValueError(f"Expected the modules {', '.join(_MODULES)} in {folder}. Received: {', '.join(unsupported)}")
    projections = received[2:-1] if received[-1] == "Normalize" else received[2:]
    if received[:2] != ["Transformer", "Pooling"] or set(projections) - {"Dense"}:
        raise ValueError(
            "Expected the modules Transformer, Pooling, any number of Dense, and maybe Normalize. "
            f"Received: {', '.join(received)}"
        )
    return kinds


def _check_prompt(folder):
    config = read_json(folder, "config_sentence_transformers.json", {})
    prompt = (config.get("prompts") or {}).get(config.get("default_prompt_name"))
    if prompt:
        raise ValueError(f"Expected an encoder without a default prompt. Received: {prompt!r} in {folder}")


def _pooling(folder):
    """The modes of `SequencePooling` that are joined."""
    config = read_json(folder, "config.json")
    modes = config.get("pooling_mode") or [mode for flag, mode in _POOLING_FLAGS.items() if config.get(flag)] or "mean"
    modes = [modes] if isinstance(modes, str) else modes
    unsupported = [mode for mode in modes if mode not in _POOLING]
    if unsupported:
        raise ValueError(f"Expected pooling by {', '.join(_POOLING)} in {folder}. Received: {', '.join(unsupported)}")
    return [_POOLING[mode] for mode in modes]


def _projection(folder):
    """The arguments of a `Dense` layer."""
    config = read_json(folder, "config.json")
    units, use_bias = settings(config, f"{folder}/config.json", out_features=int, bias=bool)
    activation = str(config.get("activation_function", "Tanh")).rsplit(".", 1)[-1]
    if activation not in _DENSE_ACTIVATIONS:
        raise ValueError(
            f"Expected an activation function of {', '.join(_DENSE_ACTIVATIONS)} in {folder}. Received: {activation}"
        )
    further = {
        key: value
        for key, value in config.items()
        if value and key not in _DENSE_KEYS and not (key in _DENSE_NAMES and value == "sentence_embedding")
    }
    if further:
        raise ValueError(f"Expected a Dense module with {', '.join(sorted(_DENSE_KEYS))} alone. Received: {further}")
    return {"units": units, "activation": _DENSE_ACTIVATIONS[activation], "use_bias": use_bias}


def _max_length(folder, limits, num_positions):
    """How many tokens the encoder takes of a text."""
    tokenizer = read_json(folder, "tokenizer_config.json", {})
    length = limits.get("max_seq_length") or tokenizer.get("model_max_length") or num_positions
    return int(min(length, num_positions))
