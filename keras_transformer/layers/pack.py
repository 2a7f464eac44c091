import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import masks, packing
from keras_transformer.layers.composite import CompositeLayer


@keras.saving.register_keras_serializable(package="keras_transformer")
class Pack(CompositeLayer):
    """Takes the padding out of a batch, so that the layers behind pay for real tokens only.

        x, packing = Pack()(x)                       # (B, T, D) -> (N, D)
        for block in blocks:
            x = block(x, packing=packing)
        x = Unpack()(x, packing)                     # (N, D) -> (B, T, D)

    Between the two may stand `EncoderBlock`, `FeedForward`, and whatever works on each position alone. Not for
    JAX and XLA, which want to know all shapes: N is a number of the data.

    Args:
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), floating.
        padding_mask: boolean (B, T), True for real positions, wherever they are; ANDed with Keras' implicit mask.

    Returns:
        (N, D), the N real tokens of the batch in order, without a Keras mask; and the packing, a dictionary of
        tensors.

    Raises:
        ValueError: for inputs of another rank, and a mask of a wrong shape or dtype.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = True  # a model that packs on demand has it outside of its graph

    def call(self, inputs, *, padding_mask=None, mask=None):
        arguments.known_width(self, inputs.shape, rank=3)
        mask = masks.resolve(mask, "padding_mask", padding_mask, inputs.shape[:2])
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], dtype="bool")
        places = packing.packing_of(mask)
        # Without any real token the first position stands for one.
        return ops.where(ops.any(mask), packing.pack(inputs, places), 0), places

    def compute_mask(self, inputs, previous_mask=None):
        # What is packed is real.
        return None

    def compute_output_shape(self, inputs_shape):
        batch = tuple(inputs_shape[:2])
        return (None, inputs_shape[-1]), {"mask": batch, "places": (None,), "rows": batch}

    def compute_output_spec(self, inputs, *, padding_mask=None, mask=None):
        # Not by running `call`: JAX cannot trace what has as many rows as there are tokens.
        arguments.known_width(self, inputs.shape, rank=3)
        masks.resolve(mask, "padding_mask", padding_mask, inputs.shape[:2])
        packed, shapes = self.compute_output_shape(inputs.shape)
        places = {
            name: keras.KerasTensor(shape, dtype="bool" if name == "mask" else "int32")
            for name, shape in shapes.items()
        }
        return keras.KerasTensor(packed, dtype=self.compute_dtype), places
