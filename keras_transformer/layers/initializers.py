"""Initialisation of weights that hold several matrices side by side."""

from typing import Any

import keras
from keras import ops

from keras_transformer.types import Config, DType, Initializer, Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class FusedInitializer(keras.initializers.Initializer):
    """Initialises each of `num_parts` matrices that share one kernel as if it stood alone.

    A fused kernel (D, 3 H d) under Glorot would count all three outputs in its fan and come out too small.

    Args:
        initializer: a Keras initializer, its name or its config, for one part.
        num_parts: how many matrices of equal width lie side by side on the last axis.

    Example:
        >>> initializer = keras_transformer.layers.FusedInitializer("glorot_uniform", num_parts=3)
        >>> initializer((64, 3 * 64)).shape
        TensorShape([64, 192])
    """

    def __init__(self, initializer: Initializer, num_parts: int) -> None:
        self.initializer = keras.initializers.get(initializer)
        self.num_parts = num_parts

    def __call__(self, shape: Shape, dtype: DType = None, **kwargs: Any) -> Tensor:
        shape = tuple(shape)
        part = shape[:-1] + (shape[-1] // self.num_parts,)
        parts = [clone_initializer(self.initializer, i)(part, dtype=dtype) for i in range(self.num_parts)]
        return ops.concatenate(parts, axis=-1)

    def get_config(self) -> Config:
        return {
            "initializer": keras.initializers.serialize(self.initializer),
            "num_parts": self.num_parts,
        }


def clone_initializer(initializer: Initializer, index: int) -> Initializer:
    """An initializer like `initializer` with other values, for the weight number `index` of a layer.

    One Keras initializer returns the same values at each call, so that several weights need several; a fixed seed is
    counted up. A generator of seeds is shared, and gives new values each time; so must a plain function.
    """
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    if isinstance(getattr(initializer, "seed", None), keras.random.SeedGenerator):
        return initializer
    config = initializer.get_config()
    if isinstance(config.get("seed"), int):
        config["seed"] += index
    return type(initializer).from_config(config)
