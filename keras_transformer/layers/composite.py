"""What layers made of other layers share: masks on the way in, quantized sub-layers on the way back from a file."""

from collections.abc import Iterator
from typing import Any

import keras

from keras_transformer.layers.base_layer import BaseLayer
from keras_transformer.ops import masks
from keras_transformer.ops.unpadding import TokenLayout
from keras_transformer.types import Config, Tensor

FILE_FORMAT = 2  # of the names of weights in `.keras` files; 1 is version 0.1.0 of November 2026


def check_file_format(config: Config) -> None:
    """Raises `ValueError` for the config of a layer or model whose weights have other names than now."""
    if (found := config.get("format", 1)) != FILE_FORMAT:
        raise ValueError(
            f"Expected a file whose weights are named as in format {FILE_FORMAT}. Received: format {found}. "
            "Load it with the version of keras_transformer that wrote it, and export it as a SavedModel."
        )


class CompositeLayer(BaseLayer):
    """A layer of sub-layers that reads, combines and passes on padding masks. Padding may hold anything, NaN too.

    Keras fills `mask` where a call has one tensor argument and `<name>_mask` where it has more, so that an explicit
    mask would hide the implicit one. Here `call` always finds in `mask` the implicit mask of `inputs` (or the
    `mask=` that replaced it, as everywhere in Keras). It ANDs that with its `padding_mask`.
    """

    padding_is_zero = False  # whether the layer around this one has seen to it
    is_renamed_inside = False  # whether weights inside have other names than in files of format 1

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def __call__(self, inputs: Tensor, *args: Any, mask: Tensor = None, **kwargs: Any) -> Tensor:
        if mask is None:
            mask = masks.implicit_mask(inputs)
        outputs = super().__call__(inputs, *args, mask=mask, **kwargs)
        if kwargs.get("padding_mask") is not None:
            # Keras keeps the mask that the last sub-layer left on the outputs, which knows of no explicit one.
            first = outputs[0] if isinstance(outputs, tuple) else outputs
            mask = masks.combine(mask, kwargs["padding_mask"])
            masks.attach(first, self.compute_mask(inputs, mask))
        return outputs

    def layout_of(
        self, inputs: Tensor, layout: TokenLayout | None, mask: Tensor, padding_mask: Tensor, name: str = "padding_mask"
    ) -> TokenLayout:
        """The layout of `inputs`: as the call was given it, for a padded batch with these masks besides.

        Raises:
            ValueError: for a mask of a wrong shape or dtype, and a `padding_mask` (called `name`) of unpadded tokens.
        """
        layout = TokenLayout() if layout is None else TokenLayout(*layout)  # in a reloaded graph a plain tuple
        if layout.is_padded:
            return TokenLayout(masks.combine(layout.mask, masks.resolve(mask, name, padding_mask, inputs.shape[:2])))
        if padding_mask is not None:
            raise ValueError(f"Expected the mask of unpadded tokens as Unpad(...)(x, padding_mask). Received: {name}")
        return layout

    def zero_padding(self, inputs: Tensor, layout: TokenLayout) -> Tensor:
        """`inputs` with zeros at padding: NaN there would reach the gradients of weights, if nothing else."""
        return layout.zero_padding(inputs) if not self.padding_is_zero else inputs

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor = None) -> Tensor:
        return previous_mask

    def get_build_config(self) -> Config | None:
        config = super().get_build_config()
        if not config:
            return config
        modes = quantization_modes(self)
        file_format = {"format": FILE_FORMAT} if self.is_renamed_inside else {}
        return {**config, **file_format, **({"quantization": modes} if modes else {})}

    def build_from_config(self, config: Config) -> None:
        if config and self.is_renamed_inside:
            check_file_format(config)
        super().build_from_config(config)
        quantize_sublayers(self, (config or {}).get("quantization", {}))


def sublayers(layer: keras.layers.Layer, prefix: str = "") -> Iterator[tuple[str, keras.layers.Layer]]:
    """Yields (path, sub-layer) for all layers inside `layer`, the path made of their names.

    Keras offers the list for models only, so that this one place reads its private walk.
    """
    for child in layer._flatten_layers(include_self=False, recursive=False):
        path = prefix + child.name
        yield path, child
        yield from sublayers(child, path + "/")


def quantization_modes(layer: keras.layers.Layer) -> dict[str, str]:
    """{path: mode} of the quantized layers inside `layer`.

    A rebuilt layer makes float sub-layers, whose variables would not fit the saved integers.
    """
    return {path: child.quantization_mode for path, child in sublayers(layer) if child.quantization_mode is not None}


def quantize_sublayers(layer: keras.layers.Layer, modes: dict[str, str]) -> None:
    """Quantizes the (built) layers inside `layer` that `modes` names, ready to load saved integers."""
    if modes:
        by_path = dict(sublayers(layer))
        for path, mode in modes.items():
            by_path[path].quantize(mode)
