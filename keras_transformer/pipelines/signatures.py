"""What the signatures of exported pipelines are made of."""

import functools
from collections.abc import Callable, Mapping
from typing import TypeAlias

import tensorflow as tf

from keras_transformer.ops import masks
from keras_transformer.pipelines.slices import in_chunks
from keras_transformer.text import Tokenizer

# What a SavedModel offers: ({attribute of the root: traced function}, {name of a signature: concrete function}).
ExportFunctions: TypeAlias = tuple[dict[str, Callable], dict[str, Callable]]
# {name of a signature: {name of an input: tensor}}.
Requests: TypeAlias = dict[str, dict[str, tf.Tensor]]
STRINGS = tf.TensorSpec([None], tf.string, name="inputs")
IDS = tf.TensorSpec([None, None], tf.int32, name="inputs")

SIGNATURES = ("serving_default", "ids", "lengths", "tokens", "prompts")  # of an embedder's other signatures


def traced(*specs: tf.TensorSpec) -> Callable[[Callable], Callable]:
    """A decorator that makes a concrete function, which is stored once whoever calls it.

    A `tf.function` is traced anew where it is called in another context, inside a function or eagerly.

    The graph refuses inputs of shapes that `specs` do not allow. Python does so without it; a server feeds what a
    client sent, whatever the signature says.
    """

    def trace(function):
        @functools.wraps(function)
        def checked(*inputs):
            # Without those that have a default and no spec.
            return function(*[tf.ensure_shape(x, spec.shape) for x, spec in zip(inputs, specs)])

        return tf.function(checked, input_signature=specs, autograph=False).get_concrete_function()

    return trace


def check_rows(name: str, x: tf.Tensor, inputs: tf.Tensor, or_one: bool = False) -> tf.Tensor:
    """Returns `x` (M,), called `name` in a signature; a server may feed other numbers of rows than in `inputs` (N,).

    Args:
        name: the name.
        x: the tensor.
        inputs: the other one.
        or_one: whether a single row is accepted too.

    Returns:
        `x`; the graph stops with an `InvalidArgumentError` where M is not N.
    """
    rows, number = tf.size(x), tf.size(inputs)
    fits = (rows == number) | (or_one & (rows == 1))
    message = f"Expected as many {name} as inputs{', or one' if or_one else ''}. Received: {name} and inputs:"
    with tf.control_dependencies([tf.debugging.Assert(fits, [message, rows, number])]):
        return tf.identity(x)


def known_ids(ids: tf.Tensor, tokenizer: Tokenizer, max_length: int, has_end: bool) -> tf.Tensor:
    """Ids (N, T) that a client sent, as the tokenizer might have made them.

    Args:
        ids: int32, padded.
        tokenizer: of the ids. Those that it does not have become unknown.
        max_length: rows are truncated to so many ids.
        has_end: whether the last id of a row that is so long is the end id.

    Returns:
        int32 ids (N, at most `max_length`).
    """
    is_token = masks.of_ids(ids, tokenizer.padding_id, "right")[:, :max_length]
    ids = ids[:, :max_length]
    ids = tf.where((ids >= 0) & (ids < tokenizer.vocabulary_size), ids, tokenizer.unknown_id)
    if not has_end:
        return ids
    is_last = (tf.range(tf.shape(ids)[1]) == max_length - 1) & is_token
    return tf.where(is_last, tokenizer.end_id, ids)


def lengths_signature(num_tokens: Callable[[tf.Tensor], tf.Tensor], max_length: int) -> Callable:
    """The signature "lengths": inputs, strings (N,) -> outputs, by `num_tokens`, and longest, int64 (N,) both."""

    def lengths(inputs):
        outputs = in_chunks(num_tokens, inputs, tf.TensorSpec([None], tf.int64))
        return {"outputs": outputs, "longest": tf.fill(tf.shape(outputs), tf.constant(max_length, tf.int64))}

    return traced(STRINGS)(lengths)


def checked_prompts(prompts: Mapping[str, str]) -> dict[str, str]:
    """{role: text}; `ValueError` for what is no such thing, and for a role with the name of another signature."""
    for role, text in prompts.items():
        if not isinstance(role, str) or not isinstance(text, str) or not role or role in SIGNATURES:
            raise ValueError(
                f"Expected prompts, {{role: text}}, with roles not in {SIGNATURES}. Received: {role!r}: {text!r}"
            )
    return dict(prompts)


def prompts_of(prompts: Mapping[str, str], roles: tf.Tensor) -> tf.Tensor:
    """The texts of roles, strings (N,) both; "" for unknown ones."""
    texts = tf.fill(tf.shape(roles), "")
    for role, text in prompts.items():
        texts = tf.where(roles == role, text, texts)
    return texts


def pieces(tokenizer: Tokenizer, ids: tf.Tensor) -> tf.Tensor:
    """Ids (N, T) as the tokens' strings, padding behind them as ""; ids that the tokenizer does not know as unknown."""
    known = tf.where(ids < tokenizer.vocabulary_size, ids, tokenizer.unknown_id)
    is_token = masks.of_ids(ids, tokenizer.padding_id, "right")
    return tf.where(is_token, tokenizer.ids_to_pieces(known), "")
