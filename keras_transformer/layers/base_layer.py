"""What all layers share: the shape of their outputs, and a config of constructor arguments."""

import inspect
from typing import Any

import keras

from keras_transformer.types import Config, Shape


class RecordedLayer(keras.layers.Layer):
    """A layer whose constructor arguments are recorded once.

    A subclass keeps each of them in an attribute of the same name, from which its config is made.
    """

    def get_config(self) -> Config:
        config = super().get_config()
        for cls in type(self).__mro__:
            if issubclass(cls, RecordedLayer) and "__init__" in cls.__dict__:
                for name, parameter in list(inspect.signature(cls.__init__).parameters.items())[1:]:
                    if parameter.kind is parameter.VAR_KEYWORD or name in config:
                        continue
                    if hasattr(self, name):
                        config[name] = _serialized(name, getattr(self, name))
                    elif "get_config" not in cls.__dict__:  # which would add it
                        raise ValueError(
                            f"Expected an attribute for each constructor argument, or a get_config that records it. "
                            f"Received: {cls.__name__} without {name}"
                        )
        return config


class BaseLayer(RecordedLayer):
    """Base of this room's layers: tells the shape of its outputs, by default that of the inputs."""

    def compute_output_shape(self, inputs_shape: Shape, *other_shapes: Shape, **named_shapes: Shape) -> Any:
        return tuple(inputs_shape)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        # Keras would take the shape for all there is to know. `call` knows dtypes, further outputs and bad arguments.
        return keras.Operation.compute_output_spec(self, *args, **kwargs)


def _serialized(name, value):
    if name.endswith("initializer"):
        return keras.initializers.serialize(value)
    return keras.activations.serialize(value) if name.endswith("activation") else value
