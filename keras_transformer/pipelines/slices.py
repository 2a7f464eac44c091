"""A model applied to any number of texts, some at a time, inside the graph."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def in_slices(
    function: Callable[[tf.Tensor], Any], lengths: tf.Tensor, specs: Any, max_tokens: int = 4096, max_rows: int = 256
) -> Any:
    """What `function` gives for each row, in memory that does not grow with the number of rows.

    Rows of about equal length make a slice; the order is kept.

    Args:
        function: from the numbers of some rows, int32 (n,), to a structure of tensors (n, ...). What it reads of
            variables it should get as tensors from outside: of a loop over variables a loaded SavedModel has no
            gradients.
        lengths: the tokens of each row, integers (N,).
        specs: a structure of the `tf.TensorSpec`s of what `function` gives. Only the first size may differ from slice
            to slice.
        max_tokens: a slice's rows times its longest one: what attention and padding cost. A single row may have more.
        max_rows: a slice's rows.

    Returns:
        The structure of tensors (N, ...).
    """
    number = tf.size(lengths)
    lengths, order = tf.math.top_k(-tf.cast(lengths, tf.int32), number)  # the shortest first
    lengths = tf.maximum(-lengths, 1)

    def goes_on(start, slices, results):
        return (start < number) | (slices == 0)  # one slice at least, so that there is something to join

    def advance(start, slices, results):
        longest = lengths[start : start + max_rows]  # of a slice that ends with this row
        fits = longest * tf.range(1, tf.size(longest) + 1) <= max_tokens
        end = tf.minimum(start + tf.maximum(tf.math.count_nonzero(fits, dtype=tf.int32), 1), number)
        found = tf.nest.flatten(function(order[start:end]))
        return end, slices + 1, [result.write(slices, x) for result, x in zip(results, found)]

    results = [
        tf.TensorArray(spec.dtype, size=0, dynamic_size=True, infer_shape=False, element_shape=spec.shape)
        for spec in tf.nest.flatten(specs)
    ]
    zero = tf.constant(0)
    _, _, results = tf.while_loop(goes_on, advance, (zero, zero, results), parallel_iterations=1)
    places = tf.math.invert_permutation(order)
    return tf.nest.pack_sequence_as(specs, [tf.gather(result.concat(), places) for result in results])


def in_chunks(function: Callable[[tf.Tensor], Any], rows: tf.Tensor, specs: Any, max_rows: int = 4096) -> Any:
    """What `function` gives for some thousand rows at a time, as they come.

    For what needs much memory, and gives little: the tokens of strings, by whose lengths `in_slices` sorts.

    Args:
        function: from rows (n, ...) to a structure of tensors (m, ...).
        rows: (N, ...).
        specs: a structure of the `tf.TensorSpec`s of what `function` gives. Only the first size may differ from chunk
            to chunk.
        max_rows: a chunk's rows.

    Returns:
        The structure of tensors, joined.
    """
    number = tf.shape(rows)[0]
    num_chunks = tf.maximum((number + max_rows - 1) // max_rows, 1)  # one at least, so that there is something to join

    def advance(chunk, results):
        found = tf.nest.flatten(function(rows[chunk * max_rows : (chunk + 1) * max_rows]))
        return chunk + 1, [result.write(chunk, x) for result, x in zip(results, found)]

    results = [
        tf.TensorArray(spec.dtype, size=num_chunks, infer_shape=False, element_shape=spec.shape)
        for spec in tf.nest.flatten(specs)
    ]
    chunk = tf.constant(0)
    _, results = tf.while_loop(lambda chunk, _: chunk < num_chunks, advance, (chunk, results), parallel_iterations=1)
    return tf.nest.pack_sequence_as(specs, [result.concat() for result in results])
