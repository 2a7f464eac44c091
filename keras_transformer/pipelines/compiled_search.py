"""A search that XLA compiles: faster for a single sentence, but compiled anew for each shape."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_transformer.decoding.hypotheses import Hypotheses

_LENGTHS = 16
_ROWS = [2**i for i in range(31)]


def compiled_search(
    search: Callable[..., Hypotheses],
    source_ids: tf.Tensor,
    length_limits: tf.Tensor,
    max_extra_length: int,
    source_padding_id: int,
    prefix_padding_id: int,
    prefix_ids: tf.Tensor | None,
    **settings: Any,
) -> Hypotheses:
    """What `search` finds, compiled by XLA for each shape.

    So that there are few shapes, rows are padded to a power of two, sources and prefixes to a multiple of 16 tokens.

    Args:
        search: takes what a `Search` does but for its model and ids: `source_ids`, `length_limits`, `prefix_ids`,
            `max_length` and settings.
        source_ids: int32 (N, S), padded.
        length_limits: int32 (N,), each at most S + `max_extra_length`.
        max_extra_length: an integer.
        source_padding_id: of the sources.
        prefix_padding_id: of the prefixes.
        prefix_ids: int32 (N, P), padded, or `None`.
        **settings: of the call: Python values, and tensors (), or (N,) of one for each sentence.

    Returns:
        `Hypotheses`, as long as the largest limit, but at least 1.
    """
    number = tf.shape(source_ids)[0]
    rows = tf.reduce_min(tf.where(tf.constant(_ROWS) >= number, _ROWS, _ROWS[-1]))

    def padded_rows(x, value=0):
        return tf.pad(x, [[0, rows - number]] + [[0, 0]] * (x.shape.rank - 1), constant_values=tf.cast(value, x.dtype))

    def padded(ids, padding_id):
        missing = -tf.shape(ids)[1] % _LENGTHS
        return padded_rows(tf.pad(ids, [[0, 0], [0, missing]], constant_values=padding_id), padding_id)

    @tf.function(jit_compile=True, autograph=False)
    def compiled(source_ids, length_limits, prefix_ids, tensors):
        # Known to XLA, which knows the shape.
        max_length = tf.shape(source_ids)[1] + max_extra_length
        return tuple(
            search(source_ids, length_limits, prefix_ids=prefix_ids, max_length=max_length, **tensors, **fixed)
        )

    tensors = {name: x for name, x in settings.items() if tf.is_tensor(x)}
    fixed = {name: x for name, x in settings.items() if name not in tensors}
    ids, scores = compiled(
        padded(source_ids, source_padding_id),
        padded_rows(length_limits),
        None if prefix_ids is None else padded(prefix_ids, prefix_padding_id),
        # With a number that is there: sampling is faster where all seeds are the same.
        {name: padded_rows(x, tf.reduce_max(x)) if x.shape.rank else x for name, x in tensors.items()},
    )
    return Hypotheses(ids[:number, :, : tf.maximum(tf.reduce_max(length_limits), 1)], scores[:number])
