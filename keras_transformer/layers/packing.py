"""Real tokens side by side, without the padding between them: (B, S, ...) <-> (N, ...).

Real texts are short and uneven, and padding costs a position-wise layer as much as a token does. Packed, a batch is its
N real tokens. Attention alone has to know again which text a token is of: it spreads its queries, keys and values out,
and packs what comes of them.

N is a number of the data, where JAX and XLA want to know all shapes: packing is always the caller's choice.
"""

import keras
from keras import ops


def packing_of(mask):
    """Where the real tokens of a batch are: what `pack` and `spread` go by.

    Args:
        mask: boolean (B, S), True for real tokens, wherever they are.

    Returns:
        A packing: {"mask": `mask`; "places": int32 (N,), which of the B * S positions each packed token has; "rows":
        int32 (B, S), which of the packed tokens each position has, and for padding, the one before it}. A batch of
        nothing but padding is packed to its first position, since there must be a row to take.
    """
    flat = ops.reshape(mask, (-1,))
    is_packed = ops.logical_or(flat, ops.logical_and(ops.cumsum(ops.ones_like(flat, "int32")) == 1, ~ops.any(flat)))
    rows = ops.maximum(ops.cumsum(ops.cast(flat, "int32")) - 1, 0)
    return {
        "mask": mask,
        "places": ops.cast(ops.nonzero(is_packed)[0], "int32"),
        "rows": ops.reshape(rows, ops.shape(mask)),
    }


def pack(x, packing):
    """(B, S, W) -> (N, W)."""
    return _rows(ops.reshape(x, (-1, x.shape[-1])), packing["places"])


def spread(x, packing):
    """(N, W) -> (B, S, W), where padding holds the token before it: numbers for nobody to look at."""
    return _rows(x, packing["rows"])


def of_changing_shape(x, axes):
    """`x` with its sizes along `axes` hidden: `tf.while_loop` would take those of the first step for those of all."""
    if keras.config.backend() != "tensorflow":
        return x
    import tensorflow as tf

    shape = [None if i in axes else size for i, size in enumerate(x.shape)]
    return tf.compat.v1.placeholder_with_default(x, shape)


def _rows(x, indices):
    if keras.config.backend() != "tensorflow":
        return ops.take(x, indices, axis=0)
    import tensorflow as tf

    # Keras' own first looks for negative indices: 6 to 8% of the time that one short text takes.
    return tf.gather(x, indices)
