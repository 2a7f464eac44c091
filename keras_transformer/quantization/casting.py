"""A model's config and weights in another floating dtype."""

import os
import tempfile
from typing import Any

import keras


def with_dtype(config: Any, dtype: str) -> Any:
    """A serialized config with the policy `dtype` wherever a floating dtype policy stands."""
    if isinstance(config, (list, tuple)):
        return [with_dtype(part, dtype) for part in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy" and "float" in config["config"]["name"]:
        return {**config, "config": {"name": dtype}}
    return {key: with_dtype(part, dtype) for key, part in config.items()}


def copy_weights(model: keras.Model, copy: keras.Model) -> None:
    """Gives `copy` the weights of `model`, cast, with what LoRA added merged into them."""
    with tempfile.TemporaryDirectory() as folder:
        # Keras merges LoRA when it writes a file.
        weights = os.path.join(folder, "model.weights.h5")
        model.save_weights(weights)
        copy.load_weights(weights)
    # LoRA has weights that the copy, into which they are merged, has not.
    if len(copy.weights) == len(model.weights):
        for weight, original in zip(copy.weights, model.weights):
            weight.trainable = original.trainable
