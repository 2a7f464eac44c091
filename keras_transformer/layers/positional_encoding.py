from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.base_layer import BaseLayer
from keras_transformer.ops import positions as position_ops
from keras_transformer.types import Shape, Tensor

_LAYOUTS = ("interleaved", "halves")


@keras.saving.register_keras_serializable(package="keras_transformer")
class PositionalEncoding(BaseLayer):
    """Adds the paper's sinusoids to embeddings, right to 1e-5 at any position below 16,777,216.

    PE(p, 2i) = sin(p / max_wavelength^(2i/D)), PE(p, 2i+1) = cos(of the same); an odd width ends with a sine.
    There are no weights and there is no length limit. Values are computed in float32 and cast last: plain
    float32 angles are off by 6e-3 at position 100,000, and in bfloat16 neighbouring rows would be equal.

    Args:
        max_wavelength: the paper's 10000.
        layout: "interleaved" as above, or "halves": all sines first, then all cosines, as in Marian.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), floating. Their mask is passed on.
        positions: integers (T,) or (B, T); by default 0 ... T-1.

    Returns:
        (B, T, D) in the compute dtype.

    Raises:
        ValueError: for a `max_wavelength` that is not a number above 0, an unknown layout, inputs of another rank and
            positions of another shape or dtype.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", section 3.5. The range reduction is that of Cody and
        Waite, 1980, "Software Manual for the Elementary Functions", in turns instead of radians.

    Example:
        >>> layer = keras_transformer.layers.PositionalEncoding()
        >>> np.round(layer(np.zeros((1, 2, 4))), 2)
        array([[[0.  , 1.  , 0.  , 1.  ],
                [0.84, 0.54, 0.01, 1.  ]]], dtype=float32)
    """

    def __init__(self, max_wavelength: float = 10000.0, layout: str = "interleaved", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_wavelength = arguments.positive_number("max_wavelength", max_wavelength)
        self.layout = arguments.one_of("layout", layout, _LAYOUTS)
        self.supports_masking = True

    def build(self, inputs_shape: Shape) -> None:
        arguments.known_width(self, inputs_shape, rank=3)

    def call(self, inputs: Tensor, positions: Tensor = None) -> Tensor:
        positions = position_ops.resolve(positions, inputs)
        encoding = position_ops.sinusoids(positions, inputs.shape[-1], self.max_wavelength, self.layout)
        return inputs + ops.cast(encoding, inputs.dtype)
