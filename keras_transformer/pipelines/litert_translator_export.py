"""A `Translator` as one file of LiteRT: two functions of the model, and the tokenizers."""

import json
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from keras_transformer import decoding
from keras_transformer.atomic import replacing
from keras_transformer.decoding import Search
from keras_transformer.export import frozen_weights, litert_model
from keras_transformer.export.litert_metadata import with_files
from keras_transformer.models import Transformer
from keras_transformer.ops import BeamCache, DecoderCache, FixedKeyValueCache
from keras_transformer.pipelines.litert_export import SETTINGS_FILE, new_file
from keras_transformer.pipelines.model_paths import LITERT_SOURCE
from keras_transformer.pipelines.precision import in_dtype
from keras_transformer.text.piece_tokenizer import PieceTokenizer
from keras_transformer.types import Config, PathLike

if TYPE_CHECKING:  # whose module imports this one
    from keras_transformer.pipelines.translator import Translator

SOURCE, TARGET = LITERT_SOURCE, "target"  # names of the tokenizers' files


def write_litert_translator(translator: "Translator", path: PathLike, dtype: str | None = None) -> None:
    """Writes a file that `LiteRtTranslator` opens.

    Its signatures, in which B is the number of hypotheses of the search (1 but for a beam), N the decoder's blocks, S
    the length of sources and T that of translations:
        - "encode": ids, int32 (1, S), with the end id, padded -> memory_keys and memory_values, float32
          (N, 1, H, S, d), and memory_mask, boolean (1, S).
        - "step": tokens, int32 (B, 1), those at position, int32 (); keys and values, float32 (N, 1, H, B * T, d), zeros
          before the first step; and what "encode" gave -> logits, float32 (B, V), and new_keys and new_values. A beam
          has ancestors, boolean (1, B, B * T), too, all False before the first step -> new_ancestors, whose rows
          follow the hypotheses when these change places.

    Args:
        translator: a `Translator` of a `Transformer`; its `max_source_length` is S, and T what its limits allow then.
        path: of the file, which must not exist. It ends in .tflite.
        dtype: "float32" (`None`), "float16" or "int8", of the weights.

    Raises:
        FileExistsError: if `path` exists.
        ValueError: for another ending or dtype, a model that is quantized or no `Transformer`, a tokenizer without
            SentencePiece, a search of another library, and a model with operations that LiteRT lacks.
    """
    path = new_file(path, dtype)
    if not isinstance(translator.transformer, Transformer):
        kind = type(translator.transformer).__name__
        raise ValueError(f"Expected a translator with a Transformer for this format. Received: {kind}")
    settings = {
        **translator.length_limits,
        "longest_target": longest_target(**translator.length_limits),
        "search": _config_of(translator.search),
    }
    files = {SETTINGS_FILE: json.dumps(settings).encode(), **PieceTokenizer.of(translator.tokenizer).files(SOURCE)}
    if translator.target_tokenizer is not None:
        files |= PieceTokenizer.of(translator.target_tokenizer).files(TARGET)
    transformer = in_dtype(translator, "float32").transformer
    with frozen_weights(transformer.variables):
        functions = _functions(
            transformer, translator.max_source_length, settings["longest_target"], translator.search.beam_size
        )
    model = litert_model(functions, dtype or "float32")
    with replacing(path) as unfinished, open(unfinished, "wb") as file:
        file.write(with_files(model, files))


def longest_target(max_source_length: int, max_extra_length: int, max_target_length: int | None) -> int:
    """How many tokens the longest translation has, its end id included; the source's is among its own."""
    longest = max_source_length - 1 + max_extra_length
    return min(longest, max_target_length or longest)


def search_of(config: Config) -> Search:
    """The search of a file's settings."""
    return getattr(decoding, config["name"])(**config["settings"])


def _config_of(search):
    name = type(search).__name__
    if getattr(decoding, name, None) is not type(search):
        raise ValueError(f"Expected a search of keras_transformer.decoding for this format. Received: {name}")
    return {"name": name, "settings": search.get_config()}


def _functions(transformer, source_length, target_length, beam_size):
    """{signature: concrete function}."""

    def encode(ids):
        cache = transformer.make_cache(transformer.encode(ids), target_length)
        keys, values = (tf.stack(tensors) for tensors in zip(*cache.contexts))
        return {"memory_keys": keys, "memory_values": values, "memory_mask": cache.context_mask}

    def step(tokens, position, keys, values, memory_keys, memory_values, memory_mask, ancestors=None):
        blocks = tuple(map(FixedKeyValueCache, tf.unstack(keys), tf.unstack(values)))
        parts = blocks, tuple(zip(tf.unstack(memory_keys), tf.unstack(memory_values))), memory_mask
        cache = DecoderCache(*parts) if ancestors is None else BeamCache(*parts, ancestors)
        logits, cache = transformer.decode_step(tokens, cache, position)
        keys, values = (tf.stack(tensors) for tensors in zip(*cache.blocks))
        outputs = {"logits": tf.reshape(logits, [beam_size, -1]), "new_keys": keys, "new_values": values}
        return outputs if ancestors is None else {**outputs, "new_ancestors": cache.ancestors}

    encode = _concrete(encode, ids=tf.TensorSpec([1, source_length], tf.int32))
    num_blocks, _, num_heads, _, head_dim = encode.structured_outputs["memory_keys"].shape
    places = beam_size * target_length
    cache = tf.TensorSpec([num_blocks, 1, num_heads, places, head_dim])
    specs = {
        "tokens": tf.TensorSpec([beam_size, 1], tf.int32),
        "position": tf.TensorSpec([], tf.int32),
        "keys": cache,
        "values": cache,
        **{name: tf.TensorSpec(x.shape, x.dtype) for name, x in encode.structured_outputs.items()},
    }
    if beam_size > 1:
        specs["ancestors"] = tf.TensorSpec([1, beam_size, places], tf.bool)
    return {"encode": encode, "step": _concrete(step, **specs)}


def _concrete(function: Any, **specs: tf.TensorSpec) -> Any:
    signature = [tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in specs.items()]
    named = tf.function(
        lambda *tensors: function(**dict(zip(specs, tensors))), input_signature=signature, autograph=False
    )
    return named.get_concrete_function()
