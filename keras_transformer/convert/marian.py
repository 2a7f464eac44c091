"""Marian translation models, in the layout of Hugging Face or of Marian itself, as a `Translator`."""

import dataclasses
import os
from collections.abc import Callable

import numpy as np

from keras_transformer.convert.files import read_bytes, reading
from keras_transformer.convert.tensors import Tensors
from keras_transformer.decoding import Search
from keras_transformer.models import Transformer
from keras_transformer.pipelines import Translator
from keras_transformer.text import MarianTokenizer
from keras_transformer.types import Config, DType


@dataclasses.dataclass(frozen=True)
class MarianCheckpoint:
    """What both layouts of a Marian checkpoint have in common.

    Attributes:
        arguments: constructor arguments of `Transformer`, except those that all Marian models share.
        source_vocabulary: source tokens, ordered by id.
        target_vocabulary: target tokens; equal to the source tokens if both sides share one vocabulary.
        tensors: the weights.
        source_table: the names of the source embeddings, all of which must be equal. They are also the target
            embeddings if `target_table` is empty.
        target_table: the names of separate target embeddings.
        logits_bias: the name of the bias of the logits.
        names: maps (side, index of the block, role) to the names of a matrix and a bias, or of a scale and a bias.
            Roles are "self" and "context" with "_q", "_k", "_v", "_o", "_norm", and "ffn" with "_1", "_2", "_norm".
        lacks_padding: whether the embeddings lack a last row, for the padding id. It is filled with zeros.
        unused: patterns of the names of tensors that are not needed.
        search: the default search of the original library.
        max_length: the maximum length of a translation in tokens, or `None`.
        special_in_text: argument of `MarianTokenizer`.
    """

    arguments: Config
    source_vocabulary: list[str]
    target_vocabulary: list[str]
    tensors: Tensors
    source_table: tuple[str, ...]
    target_table: tuple[str, ...]
    logits_bias: str
    names: Callable[[str, int, str], tuple[str, str]]
    lacks_padding: bool
    unused: tuple[str, ...]
    search: Search
    max_length: int | None
    special_in_text: bool


def make_translator(folder: str, checkpoint: MarianCheckpoint, dtype: DType = None) -> Translator:
    """Builds the `Translator` of a `MarianCheckpoint`.

    Args:
        folder: folder of source.spm and target.spm.
        checkpoint: the checkpoint.
        dtype: dtype or dtype policy of the transformer.

    Raises:
        FileNotFoundError: if a SentencePiece model is missing.
        ValueError: for tensors and vocabularies that do not fit the configuration.
    """
    shares = checkpoint.source_vocabulary == checkpoint.target_vocabulary
    tokenizer, target_tokenizer = (
        _tokenizer(folder, name, vocabulary, checkpoint.special_in_text)
        for name, vocabulary in (
            ("source.spm", checkpoint.source_vocabulary),
            ("target.spm", checkpoint.target_vocabulary),
        )
    )
    if tokenizer.padding_id != target_tokenizer.padding_id:
        raise ValueError(
            "Expected one padding id on both sides. "
            f"Received: {tokenizer.padding_id} and {target_tokenizer.padding_id} in {folder}"
        )
    if not shares and not checkpoint.target_table:
        raise ValueError(
            "Expected one vocabulary for both sides, or an embedding of each. "
            f"Received: two vocabularies and one embedding in {folder}"
        )
    source = os.path.join(folder, "config.json")
    checkpoint.tensors.check_number(_num_weights(checkpoint), source)
    with reading(source):
        transformer = Transformer(
            len(checkpoint.source_vocabulary),
            **checkpoint.arguments,
            target_vocabulary_size=len(checkpoint.target_vocabulary) if checkpoint.target_table else None,
            padding_id=tokenizer.padding_id,
            position_layout="halves",
            logits_bias=True,
            begins_with_padding=True,
            dtype=dtype,
        )
    _load_weights(transformer, checkpoint)
    return Translator(
        transformer, tokenizer, target_tokenizer, search=checkpoint.search, max_target_length=checkpoint.max_length
    )


def _num_weights(checkpoint):
    """The approximate number of weights of the model."""
    arguments = checkpoint.arguments
    width = arguments["hidden_dim"]
    of_layer = width * (4 * width + 2 * arguments["intermediate_dim"])
    num_layers = arguments["num_layers"] + arguments["num_decoder_layers"]
    return num_layers * of_layer + len(checkpoint.source_vocabulary) * width


def _load_weights(transformer, checkpoint):
    tensors, num_added = checkpoint.tensors, int(checkpoint.lacks_padding)
    tables = [(transformer.source_embedding, checkpoint.source_table)]
    if checkpoint.target_table:
        tables.append((transformer.target_embedding, checkpoint.target_table))
    for layer, names in tables:
        table = layer.embedding.embeddings
        rows, width = table.shape
        tensors.load(table, np.pad(tensors.take_same(names, (rows - num_added, width)), [(0, num_added), (0, 0)]))
    bias = transformer.logits_bias.bias
    row = tensors.take(checkpoint.logits_bias, (1, bias.shape[0] - num_added))[0]
    tensors.load(bias, np.pad(row, (0, num_added)))
    for side, blocks in (("encoder", transformer.encoder_blocks), ("decoder", transformer.decoder_blocks)):
        for i, block in enumerate(blocks):
            _load_block(block, tensors, lambda role: checkpoint.names(side, i, role))  # noqa: B023
    tensors.ignore(*checkpoint.unused)
    tensors.finish()


def _load_block(block, tensors, names):
    tensors.load_dense(block.self_attention.query_key_value, names("self_q"), names("self_k"), names("self_v"))
    tensors.load_dense(block.self_attention.output_projection, names("self_o"))
    tensors.load_norm(block.self_attention_add_norm.norm, names("self_norm"))
    if hasattr(block, "cross_attention"):
        tensors.load_dense(block.cross_attention.query, names("context_q"))
        tensors.load_dense(block.cross_attention.key_value, names("context_k"), names("context_v"))
        tensors.load_dense(block.cross_attention.output_projection, names("context_o"))
        tensors.load_norm(block.cross_attention_add_norm.norm, names("context_norm"))
    tensors.load_dense(block.feed_forward.intermediate_dense, names("ffn_1"))
    tensors.load_dense(block.feed_forward.output_dense, names("ffn_2"))
    tensors.load_norm(block.feed_forward_add_norm.norm, names("ffn_norm"))


def _tokenizer(folder, name, vocabulary, special_in_text):
    model = read_bytes(folder, name)
    with reading(os.path.join(folder, name)):
        return MarianTokenizer(model, vocabulary, special_in_text=special_in_text)
