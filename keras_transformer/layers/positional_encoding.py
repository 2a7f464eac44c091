import keras
import numpy as np
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import positions as position_argument
from keras_transformer.layers.shaped_layer import ShapedLayer

# Positions are split into two digits of this base; both halves of a product stay exact in float32.
_BASE = 4096
_LAYOUTS = ("interleaved", "halves")


@keras.saving.register_keras_serializable(package="keras_transformer")
class PositionalEncoding(ShapedLayer):
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
    """

    def __init__(self, max_wavelength=10000.0, layout="interleaved", **kwargs):
        super().__init__(**kwargs)
        self.max_wavelength = arguments.positive_number("max_wavelength", max_wavelength)
        self.layout = arguments.one_of("layout", layout, _LAYOUTS)
        self.supports_masking = True

    def build(self, inputs_shape):
        arguments.known_width(self, inputs_shape, rank=3)

    def call(self, inputs, positions=None):
        positions = position_argument.resolve(positions, inputs)
        encoding = sinusoids(positions, inputs.shape[-1], self.max_wavelength, self.layout)
        return inputs + ops.cast(encoding, inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "max_wavelength": self.max_wavelength, "layout": self.layout}


def sinusoids(positions, width, max_wavelength=10000.0, layout="interleaved"):
    """The encoding of integer `positions` (...): (..., width), float32.

    The angle of position p at frequency f is p * f. In float32 the product has lost its fraction of a turn
    long before p does, so that it is taken apart: p = high * 4096 + low, and the turns that one step of each
    digit makes, reduced to [0, 1) in float64, become a coarse part of 12 bits and a rest. A digit times the
    coarse part is exact, and its whole turns fall off without rounding.
    """
    pair = np.arange((width + 1) // 2, dtype=np.float64)
    turns_per_step = max_wavelength ** (-2.0 * pair / width) / (2 * np.pi)
    positions = ops.cast(positions, "int32")
    low = _turns(ops.mod(positions, _BASE), turns_per_step)
    high = _turns(ops.floor_divide(positions, _BASE), turns_per_step * _BASE)
    angle = (low + high) * (2 * np.pi)
    if layout == "halves":
        return ops.concatenate([ops.sin(angle), ops.cos(angle)], axis=-1)[..., :width]
    encoding = ops.stack([ops.sin(angle), ops.cos(angle)], axis=-1)
    shape = tuple(ops.shape(positions)) + (2 * len(pair),)
    return ops.reshape(encoding, shape)[..., :width]


def _turns(digit, turns_per_step):
    """Digit * turns_per_step up to whole turns: (...) and (n,) -> (..., n), float32."""
    fraction = np.mod(turns_per_step, 1.0)
    coarse = np.round(fraction * _BASE) / _BASE
    rest = fraction - coarse
    digit = ops.cast(digit, "float32")[..., None]
    product = digit * ops.convert_to_tensor(coarse.astype("float32"))
    return (product - ops.floor(product)) + digit * ops.convert_to_tensor(rest.astype("float32"))
