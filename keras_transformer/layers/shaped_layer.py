import keras


class ShapedLayer(keras.layers.Layer):
    """A layer that tells the shape of its outputs, as `keras.layers.TimeDistributed` and others ask for.

    By default it is that of the inputs.
    """

    def compute_output_shape(self, inputs_shape, *other_shapes, **named_shapes):
        return tuple(inputs_shape)

    def compute_output_spec(self, *args, **kwargs):
        # Keras would take the shape for all there is to know. `call` knows dtypes, further outputs and bad arguments.
        return keras.Operation.compute_output_spec(self, *args, **kwargs)
