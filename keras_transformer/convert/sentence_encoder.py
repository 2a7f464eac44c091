"""Sentence encoders in the layout of sentence-transformers: modules.json, BERT or MPNet, pooling, projections."""

import numbers
import os
import warnings

from keras_transformer.convert import bert
from keras_transformer.convert.files import read_json, reading, settings, warn_of_ignored, weights_file
from keras_transformer.convert.tensors import Tensors, linear
from keras_transformer.convert.word_piece import read_tokenizer
from keras_transformer.models import BertEncoder
from keras_transformer.pipelines import TextEmbedder
from keras_transformer.types import DType

_MODULES = ("Transformer", "Pooling", "Dense", "Normalize")
# sentence-transformers' name: ours. Modes that are set by flags are concatenated in this order.
_POOLING = {"cls": "first", "max": "max", "mean": "mean", "mean_sqrt_len_tokens": "sqrtn"}
_POOLING_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_WIDTHS = ("embedding_dimension", "word_embedding_dimension")
_DENSE_ACTIVATIONS = {"Identity": "linear", "Tanh": "tanh", "ReLU": "relu", "GELU": "gelu", "Sigmoid": "sigmoid"}
_TRANSFORMER_CONFIGS = [
    f"sentence_{name}_config.json"
    for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
]
# Settings there that change embeddings, with their supported values.
_ONLY = {
    "transformer_task": ("feature-extraction",),
    "modality_config": ({"text": {"method": "forward", "method_output_name": "last_hidden_state"}},),
    "module_output_name": ("token_embeddings",),
    **dict.fromkeys(
        ("processing_kwargs", "query_length", "document_length", "query_expansion", "model_args", "tokenizer_args",
         "config_args", "model_kwargs", "processor_kwargs", "config_kwargs", "tokenizer_name_or_path"), ()
    ),
}  # fmt: skip
_DENSE_KEYS = {"in_features", "out_features", "bias", "activation_function"}
_DENSE_NAMES = {"module_input_name", "module_output_name"}  # supported with "sentence_embedding", their default


def convert_sentence_encoder(folder: str, dtype: DType = None) -> TextEmbedder:
    """Converts a sentence-transformers model.

    Args:
        folder: folder of modules.json, config.json, model.safetensors and a WordPiece vocabulary.
        dtype: dtype or dtype policy of the encoder.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: for an unsupported architecture, module or setting, and for tensors that do not fit.
    """
    truncate_dim, prompts, default_prompt = _settings(folder)
    (transformer, _), (pooling, _), *projections = _modules(folder)
    normalize = bool(projections) and projections[-1][1] == "Normalize"
    if normalize:
        projections.pop()
    limits = _limits(transformer)
    architecture = bert.read_architecture(transformer)
    source = os.path.join(transformer, "config.json")
    tensors = Tensors.of_file(weights_file(transformer))
    tensors.check_number(bert.num_weights(architecture.arguments), source)
    tokenizer = read_tokenizer(transformer, architecture.model_type, bool(limits.get("do_lower_case")))
    _check_padding(architecture, tokenizer, source)
    arguments = {
        **architecture.arguments,
        "padding_id": tokenizer.padding_id,
        "pooling": _pooling(pooling),
        "projections": [_projection(path) for path, _ in projections],
    }
    with reading(source):
        encoder = BertEncoder(**arguments, normalize=normalize, truncate_dim=truncate_dim, dtype=dtype)
    embedder = TextEmbedder(
        encoder,
        tokenizer,
        _max_length(transformer, limits, encoder.position_embedding.max_length),
        prompts=prompts,
        default_prompt=default_prompt,
    )
    if tokenizer.vocabulary_size > encoder.token_embedding.vocabulary_size:
        raise ValueError(
            f"Expected an embedding for each of the {tokenizer.vocabulary_size} subwords in {transformer}. "
            f"Received: vocab_size={encoder.token_embedding.vocabulary_size}"
        )
    bert.load_weights(encoder, architecture, tensors)
    for layer, (path, _) in zip(encoder.projections, projections):
        tensors = Tensors.of_file(weights_file(path))
        tensors.load_dense(layer, linear("linear"))
        tensors.finish()
    return embedder


def _modules(folder):
    """(path, kind) of each module: Transformer, Pooling, any number of Dense, and optionally Normalize."""
    modules = read_json(folder, "modules.json", kind=list)
    try:
        kinds = [(_inside(folder, module["path"]), module["type"].rsplit(".", 1)[-1]) for module in modules]
    except (TypeError, KeyError, AttributeError):
        raise ValueError(f"Expected a list of modules with path and type in {folder}/modules.json") from None
    for path, kind in kinds:
        if path is None:
            raise ValueError(f"Expected paths inside of the folder in {folder}/modules.json. Received another: {kind}")
    received = [kind for _, kind in kinds]
    unsupported = [kind for kind in received if kind not in _MODULES]
    if unsupported:
        raise ValueError(f"Expected the modules {', '.join(_MODULES)} in {folder}. Received: {', '.join(unsupported)}")
    projections = received[2:-1] if received[-1:] == ["Normalize"] else received[2:]
    if received[:2] != ["Transformer", "Pooling"] or set(projections) - {"Dense"}:
        raise ValueError(
            "Expected the modules Transformer, Pooling, any number of Dense, and maybe Normalize. "
            f"Received: {', '.join(received)}"
        )
    return kinds


def _inside(folder, path):
    """The path of a module, or `None` if it leads out of the folder."""
    joined = os.path.normpath(os.path.join(folder, path))
    root = os.path.normpath(folder)
    return joined if joined == root or os.path.commonpath([root, joined]) == root else None


def _settings(folder):
    """(`truncate_dim` or `None`, prompts, the default one or `None`) in config_sentence_transformers.json."""
    source = os.path.join(folder, "config_sentence_transformers.json")
    config = read_json(folder, "config_sentence_transformers.json", {})
    warn_of_ignored(
        config, source, {"prompts", "default_prompt_name", "truncate_dim", "similarity_fn_name", "model_type"}
    )
    with reading(source):
        prompts = config.get("prompts") or {}
        default = config.get("default_prompt_name")
        if default is not None and default not in prompts:
            raise ValueError(f"Expected a default prompt of {list(prompts)} in {source}. Received: {default!r}")
        kind, dim = config.get("model_type") or "SentenceTransformer", config.get("truncate_dim")
        if kind != "SentenceTransformer":
            raise ValueError(f"Expected model_type='SentenceTransformer' in {source}. Received: {kind!r}")
        if dim is not None and (not isinstance(dim, int) or isinstance(dim, bool) or dim < 1):
            raise ValueError(f"Expected truncate_dim of at least 1 in {source}. Received: {dim!r}")
    similarity = config.get("similarity_fn_name")
    if similarity not in (None, "cosine"):
        warnings.warn(
            f"similarity_fn_name={similarity!r} in {source} is ignored: `similarity` compares angles", stacklevel=4
        )
    if not any(prompts.values()):  # sentence-transformers itself names empty ones
        return dim, {}, None
    # An empty one beside others says that its role has none, not even the default one.
    return dim, {name: prompt or "" for name, prompt in prompts.items()}, default


def _limits(folder):
    """sentence-transformers' own settings of the Transformer module."""
    names = [name for name in _TRANSFORMER_CONFIGS if os.path.isfile(os.path.join(folder, name))]
    if not names:
        return {}
    source = os.path.join(folder, names[0])
    config = read_json(folder, names[0])
    warn_of_ignored(config, source, {"max_seq_length", "do_lower_case", *_ONLY}, {"unpad_inputs", "backend"})
    other = {key: config[key] for key, only in _ONLY.items() if config.get(key) and config[key] not in only}
    if other:
        raise ValueError(f"Expected a transformer for text alone in {source}. Received: {other}")
    return {**config, "source": source}


def _check_padding(architecture, tokenizer, source):
    """Checks that the padding ids agree: MPNet's positions use config.json's, the mask uses the tokenizer's."""
    padding_id = architecture.arguments["padding_id"]
    if not architecture.arguments["counts_padding"] and padding_id != tokenizer.padding_id:
        raise ValueError(
            f"Expected pad_token_id={tokenizer.padding_id}, the tokenizer's, in {source}. Received: {padding_id}"
        )


def _pooling(folder):
    """The modes of `SequencePooling`."""
    source = os.path.join(folder, "config.json")
    config = read_json(folder, "config.json")
    warn_of_ignored(config, source, {"pooling_mode", *_POOLING_FLAGS}, _WIDTHS, {"include_prompt": True})
    modes = config.get("pooling_mode") or [mode for flag, mode in _POOLING_FLAGS.items() if config.get(flag)] or "mean"
    modes = [modes] if isinstance(modes, str) else modes
    if not isinstance(modes, list):
        raise ValueError(f"Expected pooling_mode, a mode or a list of modes, in {source}. Received: {modes!r}")
    unsupported = [str(mode) for mode in modes if not isinstance(mode, str) or mode not in _POOLING]
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
    tensors = Tensors.of_file(weights_file(folder))
    tensors.check_number(units, f"{folder}/config.json")
    if further:
        raise ValueError(
            f"Expected a Dense module with {', '.join(sorted(_DENSE_KEYS))} alone in {folder}. Received: {further}"
        )
    return {"units": units, "activation": _DENSE_ACTIVATIONS[activation], "use_bias": use_bias}


def _max_length(folder, limits, num_positions):
    """The maximum number of tokens of a text."""
    tokenizer = read_json(folder, "tokenizer_config.json", {})
    length, source = limits.get("max_seq_length"), limits.get("source")
    if length is None:
        length, source = tokenizer.get("model_max_length"), os.path.join(folder, "tokenizer_config.json")
    if length is None:
        return num_positions
    if not isinstance(length, numbers.Real) or isinstance(length, bool) or not length >= 2:
        raise ValueError(f"Expected a length of at least 2 (two special tokens) in {source}. Received: {length!r}")
    return int(min(length, num_positions))
