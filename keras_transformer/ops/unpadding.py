"""Unpadding: (B, S, ...) <-> (N, ...), the real tokens of a batch side by side. Calls TensorFlow's `gather`.

Real texts are short and uneven, and padding costs a position-wise layer as much as a token does. Unpadded, a batch is
its N real tokens. Only attention has to know which text a token belongs to: it repads its queries, keys and values, and
unpads its outputs.

N depends on the data (a dynamic shape), and JAX and XLA need static shapes: unpadding is always the caller's choice.

References:
    Warner et al., 2024, "Smarter, Better, Faster, Longer" (ModernBERT), section 2.1.2.
"""

from typing import NamedTuple

import keras
from keras import ops

from keras_transformer.ops import masks
from keras_transformer.types import Tensor


class TokenLayout(NamedTuple):
    """Where the tokens of a batch are: padded as they came (the identity), or the real ones side by side.

    Layers work on either form: they `repad` what has to be (B, S, ...), and `unpad` what comes of it.

    Attributes:
        mask: boolean (B, S), True for real tokens, wherever they are; `None` in a padded batch without padding.
        places: int32 (N,), which of the B * S positions each unpadded token has; `None` in a padded batch.
        rows: int32 (B, S), which of the unpadded tokens each position has, and for padding, the one before it; `None`
            in a padded batch.

    Example:
        >>> layout = keras_transformer.ops.TokenLayout.unpadded(np.array([[True, True, False], [True, False, False]]))
        >>> x = np.arange(6.0).reshape(2, 3, 1)
        >>> np.ravel(layout.unpad(x))
        array([0., 1., 3.])
        >>> layout.repad(layout.unpad(x)).shape
        TensorShape([2, 3, 1])
    """

    mask: Tensor = None
    places: Tensor = None
    rows: Tensor = None

    @classmethod
    def unpadded(cls, mask: Tensor) -> "TokenLayout":
        """The layout of the real tokens that boolean `mask` (B, S) marks.

        A batch of nothing but padding keeps its first position, since there must be a row to take.
        """
        flat = ops.reshape(mask, (-1,))
        is_first = ops.cumsum(ops.ones_like(flat, "int32")) == 1
        is_kept = ops.logical_or(flat, ops.logical_and(is_first, ~ops.any(flat)))
        rows = ops.maximum(ops.cumsum(ops.cast(flat, "int32")) - 1, 0)
        return cls(mask, ops.cast(ops.nonzero(is_kept)[0], "int32"), ops.reshape(rows, ops.shape(mask)))

    @property
    def is_padded(self) -> bool:
        """Whether tokens lie as they came, (B, S, ...)."""
        return self.places is None

    def batch_of(self, x: Tensor) -> Tensor:
        """A tensor whose first axes are B and S, for tokens `x` of this layout."""
        return x if self.is_padded else self.mask

    def zero_padding(self, x: Tensor) -> Tensor:
        """`x` with zeros at padding, whatever stands there; unpadded tokens have none."""
        return masks.zero_padding(x, self.mask) if self.is_padded else x

    def unpad(self, x: Tensor) -> Tensor:
        """(B, S, W) -> (N, W); of a padded batch `x` itself."""
        return x if self.is_padded else _take(ops.reshape(x, (-1, x.shape[-1])), self.places)

    def repad(self, x: Tensor) -> Tensor:
        """(N, W) -> (B, S, W), where padding is unspecified and must be masked; of a padded batch `x` itself."""
        return x if self.is_padded else _take(x, self.rows)


def hide_sizes(x: Tensor, axes: list[int]) -> Tensor:
    """`x` with its static sizes along `axes` hidden: `tf.while_loop` would take those of the first step for all."""
    if keras.config.backend() != "tensorflow":
        return x
    import tensorflow as tf

    shape = [None if i in axes else size for i, size in enumerate(x.shape)]
    return tf.compat.v1.placeholder_with_default(x, shape)


def _take(x, indices):
    if keras.config.backend() != "tensorflow":
        return ops.take(x, indices, axis=0)
    import tensorflow as tf

    # Keras' own first looks for negative indices: 6 to 8% of the time that one short text takes.
    return tf.gather(x, indices)
