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
from keras_transformer.export.litert_metadata import Description
from keras_transformer.export.saved_model import check_new
from keras_transformer.pipelines.precision import in_dtype
from keras_transformer.text import WordPieceTokenizer
from keras_transformer.text.device_tokenizer import DeviceTokenizer, device_tokenizer, lower_ascii, token_ids
from keras_transformer.text.sentencepiece_model import load_processor
from keras_transformer.text.tokenizer import as_strings
from keras_transformer.types import PathLike

if TYPE_CHECKING:  # whose module imports this one
    from keras_transformer.pipelines.text_embedder import TextEmbedder

TOKENIZER_FILE, SETTINGS_FILE = "sentencepiece.model", "keras_transformer.json"
OUTPUT = "vectors"
_INPUTS = [tf.TensorSpec([1, None], tf.int32, name=name) for name in ("ids", "segment_ids", "mask")]


def write_litert(
    embedder: "TextEmbedder",
    path: PathLike,
    dtype: str | None = None,
    calibration_texts: Sequence[str] | None = None,
) -> None:
    """Writes a file that MediaPipe's TextEmbedder takes, strings in, and `LiteRtEmbedder`.

    Args:
        embedder: whose tokenizer ignores case.
        path: of the file, which must not exist. It ends in .tflite.
        dtype: "float32" (`None`), "float16" or "int8", of the weights.
        calibration_texts: a list of `str`, for "int8": activations are quantized statically.

    Raises:
        FileExistsError: if `path` exists.
        ValueError: for another ending or dtype, a model that is quantized, a tokenizer that devices do not have, and a
            model with operations that LiteRT lacks.
    """
    arguments.one_of("dtype", dtype, (None, *DTYPES))
    if not os.fspath(path).endswith(".tflite"):
        raise ValueError(f"Expected the name of a file that ends in .tflite. Received: {path}")
    if calibration_texts is not None and not as_strings(calibration_texts).shape[0]:
        raise ValueError("Expected calibration_texts. Received none")
    path = check_new(path)
    tokenizer = device_tokenizer(embedder.tokenizer)
    copy = in_dtype(embedder, "float32")
    with frozen_weights(copy.variables):
        function = tf.function(
            lambda ids, segment_ids, mask: {OUTPUT: _vectors(copy, tokenizer, ids, segment_ids, mask)},
            input_signature=_INPUTS,
            autograph=False,
        ).get_concrete_function()
    calibration = [_inputs(tokenizer, text) for text in calibration_texts or ()]
    model = litert_model(function, dtype or "float32", calibration)
    description = Description(embedder.name, "Strings to vectors, by keras_transformer", [OUTPUT], TOKENIZER_FILE)
    settings = {"max_length": embedder.max_length, "word_piece": None}
    if tokenizer.spaces is not None:
        settings["word_piece"] = {"max_word_length": embedder.tokenizer.max_word_length}
    files = {TOKENIZER_FILE: tokenizer.model, SETTINGS_FILE: json.dumps(settings).encode()}
    with replacing(path) as unfinished, open(unfinished, "wb") as file:
        file.write(with_metadata(model, description, files))


def _vectors(embedder, tokenizer: DeviceTokenizer, ids, segment_ids, mask):
    """Ids (1, T) of pieces between two others, which stand for begin and end, to vectors (1, D)."""
    padding = embedder.tokenizer.padding_id
    if not isinstance(embedder.tokenizer, WordPieceTokenizer):
        # What comes before the last real id is real. The place of that one is padding: no text is without a place.
        is_real = tf.pad(mask[:, 2:], [[0, 0], [0, 1]]) > 0
        ids = tf.where(is_real, ids[:, 1:], padding)[:, : embedder.max_length]
    else:
        real = tf.where(tf.pad(mask[0, 2:], [[0, 1]]) > 0)
        ids = tf.gather(ids[0, 1:], tf.reshape(real, [-1]))
        words = embedder.tokenizer
        ids = token_ids(tokenizer, words.unknown_id, words.max_word_length, ids)[: embedder.max_length - 2]
        ids = tf.concat([[words.begin_id], ids, [words.end_id]], axis=0)[None]
    return tf.cast(embedder.encoder(ids, training=False), tf.float32)


def _inputs(tokenizer, text):
    """What a runtime feeds for a text."""
    return model_inputs(load_processor(tokenizer.model).encode(lower_ascii(text)))


def model_inputs(ids: Sequence[int]) -> dict[str, np.ndarray]:
    """The inputs of a model for the ids of a text's pieces: int32 (1, T + 2) each."""
    framed = np.array([[0, *ids, 0]], np.int32)
    return {"ids": framed, "segment_ids": np.zeros_like(framed), "mask": np.ones_like(framed)}
