from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.base_layer import BaseLayer
from keras_transformer.ops import positions as position_ops
from keras_transformer.ops import token_ids
from keras_transformer.types import Initializer, Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class PositionEmbedding(BaseLayer):
    """Adds a learned vector for each position, as BERT does; there is one for each of `max_length`.

    Args:
        max_length: rows of the table.
        initializer: of the table; by default normal with standard deviation 0.02.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), floating. Their mask is passed on.
        positions: integers (T,) or (B, T) below `max_length`; by default 0 ... T-1.
        counted: boolean (B, T), instead of `positions`: where it is False there is no vector, and the True ones of a
            sequence have the positions 0, 1, ...

    Returns:
        (B, T, D) in the compute dtype. At a position outside the table that is known only when the graph runs
        the values are NaN.

    Raises:
        ValueError: for inputs longer than the table, and for positions of another shape or dtype.

    References:
        Gehring et al., 2017, "Convolutional Sequence to Sequence Learning", section 3.1; the paper compares
        them in table 3, row (E).

    Example:
        >>> layer = keras_transformer.layers.PositionEmbedding(max_length=8)
        >>> layer(np.zeros((2, 5, 4))).shape
        TensorShape([2, 5, 4])
    """

    def __init__(self, max_length: int, initializer: Initializer = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length = arguments.positive_integer("max_length", max_length)
        self.initializer = keras.initializers.get(initializer or keras.initializers.RandomNormal(stddev=0.02))
        self.supports_masking = True

    def build(self, inputs_shape: Shape) -> None:
        width = arguments.known_width(self, inputs_shape, rank=3)
        self.embeddings = self.add_weight(
            name="embeddings", shape=(self.max_length, width), initializer=self.initializer
        )

    def call(self, inputs: Tensor, positions: Tensor = None, counted: Tensor = None) -> Tensor:
        length, given = inputs.shape[1], positions is not None
        # While a graph is traced the length may be unknown, or a symbol.
        if positions is None and isinstance(length, int) and length > self.max_length:
            raise ValueError(f"Expected at most max_length={self.max_length} positions. Received: length={length}")
        if counted is not None:
            positions = ops.maximum(ops.cumsum(ops.cast(counted, "int32"), axis=1) - 1, 0)
        positions = ops.cast(position_ops.resolve(positions, inputs), "int32")
        if given:
            token_ids.check(positions, self.max_length, "positions")
        known = ops.logical_and(positions >= 0, positions < self.max_length)
        rows = ops.take(self.embeddings, ops.where(known, positions, 0), axis=0)
        # A graph cannot raise on every device; NaN cannot be overlooked.
        rows = ops.where(known[..., None], rows, ops.cast(float("nan"), rows.dtype))
        if counted is not None:
            rows = ops.where(counted[..., None], rows, 0)
        return inputs + ops.cast(rows, inputs.dtype)
