import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import masks
from keras_transformer.layers.packing import spread
from keras_transformer.layers.shaped_layer import ShapedLayer


@keras.saving.register_keras_serializable(package="keras_transformer")
class Unpack(ShapedLayer):
    """Puts the tokens that `Pack` packed back into their places.

    Args:
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (N, D), floating.
        packing: what `Pack` returned beside.

    Returns:
        (B, T, D) in the compute dtype, zeros at padding, with the mask of the batch as its Keras mask.

    Raises:
        ValueError: for inputs of another rank.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = True  # a model that packs on demand has it outside of its graph

    def __call__(self, inputs, packing, **kwargs):
        outputs = super().__call__(inputs, packing, **kwargs)
        masks.attach(outputs, packing["mask"])
        return outputs

    def call(self, inputs, packing):
        arguments.known_width(self, inputs.shape, rank=2)
        padded = spread(inputs, packing)
        return ops.where(packing["mask"][..., None], padded, ops.zeros((), padded.dtype))

    def compute_output_shape(self, inputs_shape, packing_shape):
        return (*packing_shape["mask"], inputs_shape[-1])

    def compute_output_spec(self, inputs, packing):
        shape = self.compute_output_shape(inputs.shape, {"mask": packing["mask"].shape})
        return keras.KerasTensor(shape, dtype=self.compute_dtype)
