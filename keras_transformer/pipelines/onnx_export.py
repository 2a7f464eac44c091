"""A `TextEmbedder` as ONNX: a folder for sentence-transformers, transformers.js and fastembed, or a file of strings."""

import json
import os
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.atomic import making_folder, replacing
from keras_transformer.export import frozen_weights, onnx_model, with_sentencepiece
from keras_transformer.export.onnx import check_installed
from keras_transformer.export.saved_model import check_new
from keras_transformer.models import BertEncoder, SentenceEncoder
from keras_transformer.pipelines.embedding import DOCUMENT, first_of
from keras_transformer.pipelines.precision import in_dtype
from keras_transformer.text.device_tokenizer import DeviceTokenizer, device_tokenizer, token_ids
from keras_transformer.text.tokenizer_json import tokenizer_json
from keras_transformer.types import PathLike

if TYPE_CHECKING:  # whose module imports this one
    from keras_transformer.pipelines.text_embedder import TextEmbedder

# How a vector is made of those of the tokens: our name, sentence-transformers'.
_POOLING = {"mean": "mean", "max": "max", "first": "cls"}
_INPUTS = [tf.TensorSpec([None, None], tf.int64, name=name) for name in ("input_ids", "attention_mask")]
_STRINGS = [tf.TensorSpec([None], tf.int32, name="pieces"), tf.TensorSpec([None], tf.int64, name="starts")]


def write_onnx(embedder: "TextEmbedder", path: PathLike, dtype: str | None = None) -> None:
    """Writes a folder in the layout of sentence-transformers, or a single file that takes strings.

    In the folder onnx/model.onnx takes "input_ids" and "attention_mask", int64 (N, T), and gives "sentence_embedding",
    float32 (N, D), the embedder's vectors, and "last_hidden_state" (N, T, D), of which the pooling in 1_Pooling makes
    the same. Where no pooling of token vectors does, as of an averaging network, each token has the text's vector.

    The file takes "text", strings (N,), and gives "sentence_embedding", by onnxruntime-extensions.

    The folder names the prompts, which sentence-transformers puts in front of texts. The file does not know them.

    Args:
        embedder: with a SentencePiece or WordPiece tokenizer.
        path: of the folder, or of the file if it ends in .onnx; it must not exist.
        dtype: "float32" or `None`.

    Raises:
        FileExistsError: if `path` exists.
        ImportError: if tf2onnx is not installed.
        ValueError: for another dtype, a model that is quantized, a tokenizer that these libraries do not have, a model
            with operations that ONNX lacks, and a default prompt where a file is wanted.
    """
    arguments.one_of("dtype", dtype, (None, "float32"))
    path = check_new(path)
    if path.endswith(".onnx"):
        _write_file(embedder, path)
    else:
        _write_folder(embedder, path)


def _write_file(embedder, path):
    if embedder.default_prompt:
        raise ValueError(
            "Expected an embedder without a default prompt for a file that takes strings. "
            f"Received: {embedder.default_prompt!r}"
        )
    tokenizer = device_tokenizer(embedder.tokenizer, keeps_case=True)
    model = _model(embedder, _STRINGS, lambda copy, *inputs: _outputs_of_pieces(copy, tokenizer, *inputs))
    with replacing(path) as unfinished, open(unfinished, "wb") as file:
        file.write(with_sentencepiece(model, tokenizer.model, [spec.name for spec in _STRINGS]))


def _write_folder(embedder, path):
    tokenizer = tokenizer_json(embedder.tokenizer, embedder.max_length)
    pooling, normalizes = _pooling(embedder)
    model = _model(embedder, _INPUTS, lambda copy, *inputs: _outputs(copy, pooling, *inputs))
    files = _settings(embedder, tokenizer, pooling or "mean", normalizes)
    with making_folder(path) as unfinished:
        for name in ("onnx", "1_Pooling", *(["2_Normalize"] if normalizes else [])):
            os.makedirs(os.path.join(unfinished, name))
        with open(os.path.join(unfinished, "onnx", "model.onnx"), "wb") as file:
            file.write(model)
        for name, content in files.items():
            with open(os.path.join(unfinished, name), "w", encoding="utf-8") as file:
                json.dump(content, file, ensure_ascii=False, indent=2)


def _model(embedder, inputs, outputs) -> bytes:
    """`outputs`, of a copy of the embedder in float32 and of tensors, as a model of ONNX."""
    check_installed()
    copy = in_dtype(embedder, "float32")
    with frozen_weights(copy.variables):
        function = tf.function(lambda *tensors: outputs(copy, *tensors), input_signature=inputs, autograph=False)
        return onnx_model(function.get_concrete_function())


def _pooling(embedder):
    """(sentence-transformers' pooling of token vectors, `None` if none gives the embedder's; whether it normalizes)."""
    encoder = embedder.encoder
    if isinstance(encoder, SentenceEncoder):
        # Of length 1 in the end, so that it does not matter what a sum is divided by; and the projection has no bias.
        return ("mean", True) if encoder.pooling.mode in ("sqrtn", "mean", "sum") else (None, False)
    if not isinstance(encoder, BertEncoder) or encoder.join or encoder.projections or encoder.truncate_dim:
        return None, False
    pooling = _POOLING.get(encoder.poolings[0].mode)
    return pooling, bool(pooling and (encoder.unit_normalization or embedder.truncate_dim))


def _outputs(embedder, pooling, input_ids, attention_mask):
    """What the model gives. A batch without tokens gets one of padding, since nothing can be split into heads."""
    encoder = embedder.encoder
    ids = tf.cast(tf.where(attention_mask > 0, input_ids, embedder.tokenizer.padding_id), tf.int32)
    length = tf.shape(ids)[1]
    missing = tf.maximum(1 - length, 0)
    ids = tf.pad(ids, [[0, 0], [0, missing]], constant_values=embedder.tokenizer.padding_id)
    if pooling is None:
        vectors = embedder.truncate(encoder(ids, training=False))
        states = tf.repeat(vectors[:, None], tf.shape(ids)[1], axis=1)
    else:
        states = encoder.encode(ids)
        vectors = embedder.truncate(encoder.pool(states))
        mask = encoder.token_embedding.compute_mask(ids)
        states = encoder.projection(states) if isinstance(encoder, SentenceEncoder) else states
        # Texts that spell the padding token have it as a token, which does not count.
        states = tf.where(mask[:, :, None], states, 0.0)[:, :, : embedder.truncate_dim]
    return {"last_hidden_state": states[:, :length], "sentence_embedding": vectors}


def _outputs_of_pieces(embedder, tokenizer: DeviceTokenizer, pieces, starts):
    """The vectors of texts whose pieces (K,) are one behind another, text i from starts[i] on; starts are (N + 1,)."""
    words, length = embedder.tokenizer, embedder.max_length
    # A word that is one unknown token may have had many pieces.
    most = length if tokenizer.spaces is None else 2 * length
    counts = tf.minimum(tf.cast(starts[1:] - starts[:-1], tf.int32), most)
    places = tf.range(tf.reduce_max(tf.concat([counts, [0]], axis=0)) + 1)
    rows = tf.cast(starts[:-1, None], tf.int32) + places
    # Behind the last text too there is something to take.
    ids = tf.gather(tf.concat([pieces, [0]], axis=0), tf.minimum(rows, tf.size(pieces)))
    if tokenizer.spaces is not None:
        ids = token_ids(tokenizer, words, ids, counts + 1, length)
    else:
        ids = tf.where(places < counts[:, None], ids, words.padding_id)
    return {"sentence_embedding": embedder.truncate(embedder.encoder(ids, training=False))}


def _settings(embedder, tokenizer, pooling, normalizes) -> dict[str, Any]:
    """{name: content} of the files of JSON."""
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), *([("2_Normalize", "Normalize")] if normalizes else [])]
    width, padding = embedder.output_dim, tokenizer["padding"]
    words = embedder.tokenizer
    special = {"pad_token": padding["pad_token"]}
    if words.adds_ends:
        special |= {"cls_token": words.begin_token, "sep_token": words.end_token, "unk_token": words.unknown_token}
    return {
        "tokenizer.json": tokenizer,
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": embedder.max_length,
            "model_input_names": [spec.name for spec in _INPUTS],
            "padding_side": "right",
            "truncation_side": "right",
            "clean_up_tokenization_spaces": False,
            **special,
        },
        "special_tokens_map.json": special,
        # What these libraries ask for; the architecture itself is in the model.
        "config.json": {
            "model_type": "bert",
            "architectures": ["BertModel"],
            "hidden_size": width,
            "vocab_size": words.vocabulary_size,
            "max_position_embeddings": embedder.max_length,
            "pad_token_id": words.padding_id,
        },
        "modules.json": [
            {"idx": idx, "name": str(idx), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for idx, (path, kind) in enumerate(modules)
        ],
        "sentence_bert_config.json": {"max_seq_length": embedder.max_length, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": _with_document(embedder.prompts),
            "default_prompt_name": embedder.default_prompt,
            "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {"word_embedding_dimension": width, **_pooling_flags(pooling)},
    }  # fmt: skip


def _with_document(prompts):
    """`prompts` with "document", which `encode_document` takes: sentence-transformers adds an empty one otherwise."""
    role = first_of(prompts, DOCUMENT)
    return prompts if role is None else {**prompts, "document": prompts[role]}


def _pooling_flags(pooling):
    return {
        f"pooling_mode_{mode}": pooling == mode.split("_")[0] for mode in ("cls_token", "mean_tokens", "max_tokens")
    }
