"""What our models share: a Functional graph of layers, with a config of constructor arguments."""

import keras

from keras_transformer import arguments
from keras_transformer.layers.composite import quantization_modes, quantize_sublayers, sublayers
from keras_transformer.models.presets import preset


class ComposedModel(keras.Model):
    """A Functional-API `keras.Model` that saves its constructor's arguments instead of its graph.

    A subclass makes its layers, calls `super().__init__(inputs=..., outputs=...)`, and gives its
    arguments in `get_config`.
    """

    @classmethod
    def from_preset(cls, name, vocabulary_size, **kwargs):
        """A new model, with random weights, of the size called `name`.

        Args:
            name: "tiny", "small", "base" or "big" (`keras_transformer.models.PRESETS`).
            vocabulary_size: number of token ids V.
            **kwargs: constructor arguments, which override those of the preset.

        Raises:
            ValueError: for an unknown name.
        """
        return cls(vocabulary_size=vocabulary_size, **{**preset(name), **kwargs})

    def enable_lora(self, rank):
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

    def base_config(self):
        """Name, dtype policy and, once quantized, which layers are: what a subclass' `get_config` starts from."""
        config = {
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
        }
        modes = quantization_modes(self)
        return {**config, "quantization": modes} if modes else config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        modes = config.pop("quantization", {})
        model = cls(**config)
        quantize_sublayers(model, modes)
        return model
