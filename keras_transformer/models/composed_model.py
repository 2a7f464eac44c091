"""What our models share: a Functional graph of layers, with a config of constructor arguments."""

import copy
import functools
import inspect
from typing import Any

import keras

from keras_transformer import arguments
from keras_transformer.layers.composite import (
    FILE_FORMAT,
    check_file_format,
    quantization_modes,
    quantize_sublayers,
    sublayers,
)
from keras_transformer.models.presets import preset
from keras_transformer.quantization import QuantizesToInt8
from keras_transformer.types import Config


class ComposedModel(QuantizesToInt8, keras.Model):
    """A Functional-API `keras.Model` that saves its constructor's arguments instead of its graph.

    A subclass makes its layers and calls `super().__init__(inputs=..., outputs=...)`. The arguments of its constructor
    are recorded here, "name" and "dtype" by Keras.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            cls.__init__ = _recorded(cls.__init__)

    @classmethod
    def from_preset(cls, name: str, vocabulary_size: int, **kwargs: Any) -> "ComposedModel":
        """A new model, with random weights, of the size called `name`.

        Args:
            name: "tiny", "small", "base" or "big" (`keras_transformer.models.PRESETS`).
            vocabulary_size: number of token ids V.
            **kwargs: constructor arguments, which override those of the preset.

        Raises:
            ValueError: for an unknown name.
        """
        return cls(vocabulary_size=vocabulary_size, **{**preset(name), **kwargs})

    def enable_lora(self, rank: int) -> None:
        """Freezes all weights and adds trainable low-rank matrices to every `Dense` and embedding.

        Compile again afterwards: the optimizer of an earlier `compile` knows the old weights. `.save` merges the
        low-rank matrices into the weights.

        Args:
            rank: rank of the matrices.

        Raises:
            ValueError: for a rank below 1, or if it was enabled before.

        References:
            Hu et al., 2021, "LoRA: Low-Rank Adaptation of Large Language Models".
        """
        arguments.positive_integer("rank", rank)
        leaves = [layer for _, layer in sublayers(self) if not list(sublayers(layer))]
        adaptable = [layer for layer in leaves if hasattr(layer, "enable_lora")]
        if any(layer.lora_enabled for layer in adaptable):
            raise ValueError("Expected a model without LoRA. Received: one that has it already")
        for layer in leaves:
            layer.trainable = False
        for layer in adaptable:
            layer.trainable = True
            layer.enable_lora(rank)
            for variable in layer.trainable_variables:
                variable.trainable = "lora" in variable.name

    def get_config(self) -> Config:
        """Constructor arguments and, once quantized, which layers are."""
        dtype = keras.dtype_policies.serialize(self.dtype_policy)
        config = {"name": self.name, "dtype": dtype, **self.constructor_arguments, "format": FILE_FORMAT}
        modes = quantization_modes(self)
        return {**config, "quantization": modes} if modes else config

    @classmethod
    def from_config(cls, config: Config, custom_objects: dict | None = None) -> "ComposedModel":
        check_file_format(config)
        config = {name: value for name, value in config.items() if name != "format"}
        modes = config.pop("quantization", {})
        model = cls(**config)
        quantize_sublayers(model, modes)
        return model


def serialize_encoder(encoder: keras.Model) -> Config:
    """The config of an encoder in a model, without how it was compiled or quantized: the model's says the latter."""
    config = keras.saving.serialize_keras_object(encoder)
    inner = {key: value for key, value in config["config"].items() if key != "quantization"}
    return {**{key: value for key, value in config.items() if key != "compile_config"}, "config": inner}


def _recorded(constructor):
    """`constructor`, which leaves its arguments in `constructor_arguments` and sets the dtype policy."""
    signature = inspect.signature(constructor)

    @functools.wraps(constructor)
    def recording(self, *args: Any, **kwargs: Any):
        constructor(self, *args, **kwargs)
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        found = {}
        for name, value in list(bound.arguments.items())[1:]:
            found.update(value if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD else {name: value})
        self.dtype_policy = keras.dtype_policies.get(found.pop("dtype", None))
        found.pop("name", None)
        if "activation" in found:
            found["activation"] = keras.activations.serialize(keras.activations.get(found["activation"]))
        # A model among them is a part of this one, which says itself how it is saved.
        found = {name: value for name, value in found.items() if not isinstance(value, keras.Model)}
        lists = {name: copy.deepcopy(list(value)) for name, value in found.items() if isinstance(value, list | tuple)}
        self.constructor_arguments = {**found, **lists}

    # Keras asks for it, to tell whether a class takes a graph's inputs and outputs (as `clone_model` would give).
    recording.__signature__ = signature
    return recording
