"""What every layer made of other layers shares: masks on the way in, quantized sub-layers on the way back."""

from keras_transformer.layers import masks
from keras_transformer.layers.shaped_layer import ShapedLayer


class CompositeLayer(ShapedLayer):
    """A layer of sub-layers that reads, combines and passes on padding masks. Padding may hold anything, NaN too.

    Keras fills `mask` where a call has one tensor argument and `<name>_mask` where it has more, so that an explicit
    mask would hide the implicit one. Here `call` always finds in `mask` the implicit mask of `inputs` (or the
    `mask=` that replaced it, as everywhere in Keras). It ANDs that with its `padding_mask`.
    """

    padding_is_zero = False  # whether the layer around this one has seen to it

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def __call__(self, inputs, *args, mask=None, **kwargs):
        if mask is None:
            mask = masks.implicit_mask(inputs)
        outputs = super().__call__(inputs, *args, mask=mask, **kwargs)
        if kwargs.get("padding_mask") is not None:
            # Keras keeps the mask that the last sub-layer left on the outputs, which knows of no explicit one.
            first = outputs[0] if isinstance(outputs, tuple) else outputs
            mask = masks.combine(mask, kwargs["padding_mask"])
            masks.attach(first, self.compute_mask(inputs, mask))
        return outputs

    def zero_padding(self, inputs, padding_mask):
        """`inputs` (B, T, D) with zeros at padding: NaN there would reach the gradients of weights, if nothing else."""
        return inputs if self.padding_is_zero else masks.zero_padding(inputs, padding_mask)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def get_build_config(self):
        config = super().get_build_config()
        modes = quantization_modes(self)
        return {**config, "quantization": modes} if config and modes else config

    def build_from_config(self, config):
        super().build_from_config(config)
        quantize_sublayers(self, (config or {}).get("quantization", {}))


def sublayers(layer, prefix=""):
    """Yields (path, sub-layer) for all layers inside `layer`, the path made of their names.

    Keras offers the list for models only, so that this one place reads its private walk.
    """
    for child in layer._flatten_layers(include_self=False, recursive=False):
        path = prefix + child.name
        yield path, child
        yield from sublayers(child, path + "/")


def quantization_modes(layer):
    """{path: mode} of the quantized layers inside `layer`.

    A rebuilt layer makes float sub-layers, whose variables would not fit the saved integers.
    """
    return {path: child.quantization_mode for path, child in sublayers(layer) if child.quantization_mode is not None}


def quantize_sublayers(layer, modes):
    """Quantizes the (built) layers inside `layer` that `modes` names, ready to load saved integers."""
    if modes:
        by_path = dict(sublayers(layer))
        for path, mode in modes.items():
            by_path[path].quantize(mode)
