"""Any number of texts through a model, some at a time, inside the graph."""

from collections.abc import Callable, Sequence

import tensorflow as tf

# What one slice may cost: its rows times its longest one, as attention and padding have it.
_TOKENS = 4096
_ROWS = 256


def in_slices(
    model: Callable[..., tf.Tensor],
    columns: Sequence[tf.RaggedTensor],
    pad: Callable[[tf.RaggedTensor], tf.Tensor],
    width: int,
) -> tf.Tensor:
    """What `model` gives for each row, in memory that does not grow with the number of rows.

    Rows of about equal length make a slice, of at most 4,096 tokens with their padding (one row may have more); the
    order is kept.

    Args:
        model: from ids (n, T), one tensor for each column, to (n, D), float32. What it reads of variables it should get
            as tensors from outside: of a loop over variables a loaded SavedModel has no gradients.
        columns: ragged ids (N, number of tokens), int32, each with as many rows.
        pad: from ragged ids to a tensor (n, T).
        width: D.

    Returns:
        (N, D), float32.
    """
    lengths = columns[0].row_lengths()
    for column in columns[1:]:
        lengths = tf.maximum(lengths, column.row_lengths())
    number = tf.size(lengths)
    lengths, order = tf.math.top_k(-tf.cast(lengths, tf.int32), number)  # the shortest first
    lengths = tf.maximum(-lengths, 1)

    def goes_on(start, slices, results):
        return (start < number) | (slices == 0)  # one slice at least, which tells how wide the result is

    def advance(start, slices, results):
        longest = lengths[start : start + _ROWS]  # of a slice that ends with this row
        fits = longest * tf.range(1, tf.size(longest) + 1) <= _TOKENS
        end = tf.minimum(start + tf.maximum(tf.math.count_nonzero(fits, dtype=tf.int32), 1), number)
        rows = order[start:end]
        result = model(*(pad(tf.gather(column, rows)) for column in columns))
        return end, slices + 1, results.write(slices, result)

    results = tf.TensorArray(tf.float32, size=0, dynamic_size=True, infer_shape=False, element_shape=[None, width])
    zero = tf.constant(0)
    _, _, results = tf.while_loop(goes_on, advance, (zero, zero, results), parallel_iterations=1)
    return tf.gather(results.concat(), tf.math.invert_permutation(order))
