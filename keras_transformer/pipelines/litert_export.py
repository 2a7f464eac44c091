"""A `TextEmbedder` as one file of LiteRT: model, tokenizer and MediaPipe's metadata."""

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.atomic import replacing
from keras_transformer.export import frozen_weights, litert_model, with_metadata
from keras_transformer.export.litert import DTYPES
from keras_transformer.export.litert_metadata import Description, with_files
from keras_transformer.export.saved_model import check_new
from keras_transformer.pipelines.precision import in_dtype
from keras_transformer.text import WordPieceTokenizer
from keras_transformer.text.device_tokenizer import DeviceTokenizer, device_tokenizer, token_ids
from keras_transformer.types import PathLike

if TYPE_CHECKING:  # whose module imports this one
    from keras_transformer.pipelines.text_embedder import TextEmbedder

TOKENIZER_FILE, SETTINGS_FILE = "sentencepiece.model", "keras_transformer.json"
INPUTS, OUTPUT = ("ids", "segment_ids", "mask"), "vectors"


def write_litert(
    embedder: "TextEmbedder",
    path: PathLike,
    dtype: str | None = None,
    lengths: Sequence[int] | None = None,
) -> None:
    """Writes a file that MediaPipe's TextEmbedder takes, strings in, and `LiteRtEmbedder`; or the latter alone.

    Of prompts by role `LiteRtEmbedder` knows; whoever uses MediaPipe puts them in front of texts.

    Args:
        embedder: whose tokenizer ignores case.
        path: of the file, which must not exist. It ends in .tflite.
        dtype: "float32" (`None`), "float16" or "int8", of the weights.
        lengths: of inputs: the file has a signature "embed_16" for a length of 16, and so on, and one for texts of
            `max_length`. MediaPipe takes no such file, since it wants one graph.

    Raises:
        FileExistsError: if `path` exists.
        ValueError: for another ending or dtype, an embedder with a default prompt, lengths below 3 or none, a model
            that is quantized, a tokenizer that devices do not have, and a model with operations that LiteRT lacks.
    """
    path = new_file(path, dtype)
    if embedder.default_prompt:
        raise ValueError(f"Expected an embedder without a default prompt. Received: {embedder.default_prompt!r}")
    tokenizer = device_tokenizer(embedder.tokenizer)
    copy = in_dtype(embedder, "float32")
    length = inputs_length(embedder.max_length, tokenizer.spaces is not None)
    lengths = (
        None
        if lengths is None
        else _checked_lengths(lengths, longest_inputs(embedder.max_length, tokenizer.spaces is not None))
    )

    def function(length):
        return tf.function(
            lambda ids, segment_ids, mask: {OUTPUT: _vectors(copy, tokenizer, ids, segment_ids, mask)},
            input_signature=[tf.TensorSpec([1, length], tf.int32, name=name) for name in INPUTS],
            autograph=False,
        ).get_concrete_function()

    with frozen_weights(copy.variables):
        functions = function(None) if lengths is None else {signature(n): function(n) for n in lengths}
    model = litert_model(functions, dtype or "float32")
    about = "Strings to vectors, by keras_transformer"
    description = Description(embedder.name, about, [OUTPUT], TOKENIZER_FILE, length)
    settings = {
        "max_length": embedder.max_length,
        "word_piece": None,
        "lengths": lengths,
        "prompts": embedder.prompts,
    }
    if tokenizer.spaces is not None:
        settings["word_piece"] = {"max_word_length": embedder.tokenizer.max_word_length}
    files = {TOKENIZER_FILE: tokenizer.model, SETTINGS_FILE: json.dumps(settings).encode()}
    with replacing(path) as unfinished, open(unfinished, "wb") as file:
        file.write(with_metadata(model, description, files) if lengths is None else with_files(model, files))


def signature(length: int) -> str:
    """The name of the signature for inputs of a length, where a file has several."""
    return f"embed_{length}"


def _checked_lengths(lengths, longest):
    """The lengths that texts may need, the shortest first, the longest possible one at the end."""
    if not lengths or any(arguments.positive_integer("lengths", length) < 3 for length in lengths):
        raise ValueError(f"Expected lengths of at least 3, for a token between two others. Received: {lengths}")
    return [*sorted({int(length) for length in lengths if length < longest}), longest]


def new_file(path: PathLike, dtype: str | None) -> str:
    """The path of a file of LiteRT to write.

    Raises:
        FileExistsError: if it exists.
        ValueError: for another ending than .tflite, and a dtype that the format lacks.
    """
    arguments.one_of("dtype", dtype, (None, *DTYPES))
    if not os.fspath(path).endswith(".tflite"):
        raise ValueError(f"Expected the name of a file that ends in .tflite. Received: {path}")
    return check_new(path)


def _vectors(embedder, tokenizer: DeviceTokenizer, ids, segment_ids, mask):
    """Ids (1, T) of pieces between two others, which stand for begin and end, to vectors (1, D)."""
    if not isinstance(embedder.tokenizer, WordPieceTokenizer):
        # What comes before the last real id is real. The place of that one is padding: no text is without a place.
        is_real = tf.pad(mask, [[0, 0], [0, 1]])[:, 2:] > 0
        ids = tf.where(is_real, ids[:, 1:], embedder.tokenizer.padding_id)[:, : embedder.max_length]
    else:
        count = tf.reduce_sum(mask, axis=1) - 1
        ids = token_ids(tokenizer, embedder.tokenizer, ids[:, 1:], count, embedder.max_length)
    return embedder.truncate(embedder.encoder(ids, training=False))


def inputs_length(max_length: int, is_word_piece: bool) -> int:
    """How many ids a file takes: those of a text of `max_length` tokens, between two others.

    A word that is one unknown token to WordPiece may have had many pieces.
    """
    return 2 + max_length * (2 if is_word_piece else 1)


def longest_inputs(max_length: int, is_word_piece: bool) -> int:
    """As `inputs_length`, where time is no matter for texts of many unknown words, which are few."""
    return inputs_length(max_length, is_word_piece) * (4 if is_word_piece else 1)


def model_inputs(ids: Sequence[int], length: int) -> dict[str, np.ndarray]:
    """The inputs of a model for the ids of a text's pieces: int32 (1, length) each, cut or padded with zeros."""
    ids = [0, *ids[: length - 2], 0]
    inputs = dict(zip(INPUTS, np.zeros([len(INPUTS), 1, length], np.int32)))
    inputs["ids"][0, : len(ids)], inputs["mask"][0, : len(ids)] = ids, 1
    return inputs
