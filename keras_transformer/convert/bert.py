"""BERT and MPNet in the layout of Hugging Face (config.json, model.safetensors), for a `BertEncoder`."""

import dataclasses
import os
from collections.abc import Callable

from keras_transformer.convert.files import read_json, reading, settings, warn_of_ignored
from keras_transformer.convert.generation import GENERATION_KEYS, OF_ANY_MODEL
from keras_transformer.convert.tensors import Tensors, linear
from keras_transformer.models import BertEncoder
from keras_transformer.types import Config

_ACTIVATIONS = {"gelu": "gelu", "relu": "relu", "silu": "silu", "swish": "silu", "tanh": "tanh"}
# Tensors of heads used in training, and a buffer of old versions.
_UNUSED = ("pooler.*", "cls.*", "lm_head.*", "embeddings.position_ids")
_SUPPORTED = {
    "model_type", "vocab_size", "num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads",
    "max_position_embeddings", "hidden_act", "position_embedding_type", "is_decoder", "pad_token_id",
    "relative_attention_num_buckets", "hidden_dropout_prob", "attention_probs_dropout_prob", "layer_norm_eps",
    "type_vocab_size", "tokenizer_class",
}  # fmt: skip
# Settings of training, of heads that are not converted, and of execution.
_WITHOUT_EFFECT = {
    *GENERATION_KEYS, *OF_ANY_MODEL, "add_cross_attention", "bos_token_id", "classifier_dropout", "directionality",
    "embedding_size", "eos_token_id", "gradient_checkpointing", "initializer_range", "pooler_fc_size",
    "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type", "sep_token_id",
    "cls_token_id", "use_cache", "sentence_transformers", "sbert_ce_default_activation_function",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What a config.json describes.

    Attributes:
        model_type: "bert" or "mpnet".
        arguments: constructor arguments of `BertEncoder`.
        num_segments: number of BERT's segment embeddings; 0 for MPNet, which has none.
        first_position: index of the first token's position embedding.
    """

    model_type: str
    arguments: Config
    num_segments: int
    first_position: int


MODEL_TYPES = ("bert", "mpnet")


def read_architecture(folder: str) -> Architecture:
    """Reads the architecture of the checkpoint in `folder`.

    Raises:
        FileNotFoundError: if there is no config.json.
        ValueError: for an unsupported architecture or setting.
    """
    source = os.path.join(folder, "config.json")
    config = read_json(folder, "config.json")
    with reading(source):
        return _architecture(config, source)


def num_weights(arguments: Config) -> int:
    """The approximate number of weights of a `BertEncoder` with these arguments."""
    width = arguments["hidden_dim"]
    of_layer = width * (4 * width + 2 * arguments["intermediate_dim"])
    of_bias = (arguments["relative_position_buckets"] or 0) * arguments["num_heads"]
    rows = arguments["vocabulary_size"] + arguments["max_length"]
    return arguments["num_layers"] * of_layer + rows * width + of_bias


def _architecture(config, source):
    model_type = config.get("model_type")
    if model_type not in MODEL_TYPES:
        raise ValueError(
            f"Expected a sentence encoder of type {' or '.join(MODEL_TYPES)} in {source}. "
            f"Received: model_type={model_type!r}"
        )
    is_mpnet = model_type == "mpnet"
    names = {
        "vocab_size": "vocabulary_size",
        "num_hidden_layers": "num_layers",
        "hidden_size": "hidden_dim",
        "intermediate_size": "intermediate_dim",
        "num_attention_heads": "num_heads",
        "max_position_embeddings": "max_length",
    }
    values = settings(config, source, **dict.fromkeys(names, int))
    arguments = dict(zip(names.values(), values))
    activation = config.get("hidden_act", "gelu")
    if activation not in _ACTIVATIONS:
        raise ValueError(f"Expected hidden_act of {', '.join(_ACTIVATIONS)} in {source}. Received: {activation!r}")
    positions = config.get("position_embedding_type", "absolute")
    if positions != "absolute" or config.get("is_decoder"):
        raise ValueError(
            f"Expected an encoder with absolute positions in {source}. "
            f"Received: position_embedding_type={positions!r}, is_decoder={bool(config.get('is_decoder'))}"
        )
    warn_of_ignored(config, source, _SUPPORTED, _WITHOUT_EFFECT)
    padding_id = config.get("pad_token_id", 1 if is_mpnet else 0)
    first_position = padding_id + 1 if is_mpnet else 0
    arguments.update(
        max_length=arguments["max_length"] - first_position,
        relative_position_buckets=config.get("relative_attention_num_buckets", 32) if is_mpnet else None,
        dropout=config.get("hidden_dropout_prob", 0.1),
        attention_dropout=config.get("attention_probs_dropout_prob", 0.1),
        activation=_ACTIVATIONS[activation],
        layer_norm_epsilon=config.get("layer_norm_eps", 1e-12),
        padding_id=padding_id,
        counts_padding=not is_mpnet,
    )
    return Architecture(model_type, arguments, 0 if is_mpnet else config.get("type_vocab_size", 2), first_position)


def load_weights(
    encoder: BertEncoder,
    architecture: Architecture,
    tensors: Tensors,
    load_others: Callable[[Tensors], None] = lambda tensors: None,
) -> None:
    """Loads `tensors` into `encoder`.

    Args:
        encoder: of this architecture.
        architecture: as `read_architecture` gives it.
        tensors: of the checkpoint.
        load_others: called with the tensors, without the prefix of the model: loads what is on top of the encoder.

    Raises:
        ValueError: for tensors that are missing, unexpected or of a wrong shape. None is loaded then.
    """
    is_mpnet = architecture.model_type == "mpnet"
    tensors = tensors.without_prefix(f"{architecture.model_type}.")
    width = encoder.constructor_arguments["hidden_dim"]
    table = encoder.token_embedding.embedding.embeddings
    words = tensors.take("embeddings.word_embeddings.weight", tuple(table.shape))
    first, num_segments = architecture.first_position, architecture.num_segments
    rows = encoder.position_embedding.max_length + first
    positions = tensors.take("embeddings.position_embeddings.weight", (rows, width))
    if is_mpnet:  # Every padding token has the same position embedding, so that it joins the token embedding.
        words[first - 1] += positions[first - 1]
    positions = positions[first:]
    if num_segments:
        positions = positions + tensors.take("embeddings.token_type_embeddings.weight", (num_segments, width))[0]
    tensors.load(table, words)
    tensors.load(encoder.position_embedding.embeddings, positions)
    tensors.load_norm(encoder.embedding_norm, _norm(tensors, "embeddings.LayerNorm"))

    if is_mpnet:
        bias = encoder.relative_position_bias.embeddings
        tensors.load(bias, tensors.take("encoder.relative_attention_bias.weight", tuple(bias.shape)))
    for i, block in enumerate(encoder.encoder_blocks):
        _load_block(block, tensors, f"encoder.layer.{i}", is_mpnet)
    load_others(tensors)
    tensors.ignore(*_UNUSED)
    tensors.finish()


def _load_block(block, tensors, name, is_mpnet):
    attention = f"{name}.attention"
    if is_mpnet:
        query_key_value = [linear(f"{attention}.attn.{part}") for part in "qkv"]
        output, norm = f"{attention}.attn.o", f"{attention}.LayerNorm"
    else:
        query_key_value = [linear(f"{attention}.self.{part}") for part in ("query", "key", "value")]
        output, norm = f"{attention}.output.dense", f"{attention}.output.LayerNorm"
    tensors.load_dense(block.self_attention.query_key_value, *query_key_value)
    tensors.load_dense(block.self_attention.output_projection, linear(output))
    tensors.load_norm(block.self_attention_add_norm.norm, _norm(tensors, norm))
    tensors.load_dense(block.feed_forward.intermediate_dense, linear(f"{name}.intermediate.dense"))
    tensors.load_dense(block.feed_forward.output_dense, linear(f"{name}.output.dense"))
    tensors.load_norm(block.feed_forward_add_norm.norm, _norm(tensors, f"{name}.output.LayerNorm"))


def _norm(tensors, name):
    """The names of scale and bias, which are gamma and beta in old checkpoints."""
    old = f"{name}.gamma", f"{name}.beta"
    return old if old[0] in tensors else linear(name)
