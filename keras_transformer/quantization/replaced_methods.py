"""Methods of a single layer, replaced for a time. Keras calls what it finds on the instance."""

import contextlib
from collections.abc import Callable, Iterator

import keras


@contextlib.contextmanager
def replaced_methods(methods: dict[keras.layers.Layer, Callable], name: str) -> Iterator[None]:
    """A scope in which the method `name` of each layer in `methods` is another one.

    Args:
        methods: {layer: what stands in place of its method}.
        name: of the method.
    """
    before = {layer: vars(layer).get(name) for layer in methods}
    try:
        for layer, method in methods.items():
            setattr(layer, name, method)
        yield
    finally:
        for layer, method in before.items():
            if method is not None:
                setattr(layer, name, method)
            elif name in vars(layer):
                delattr(layer, name)


def layers_of(model: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The model and all layers inside it, each once."""
    # `keras.Model.layers` does not look into layers; Keras' own `quantize` walks like this too.
    return model._flatten_layers()
