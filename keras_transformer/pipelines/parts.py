"""Tokenizers, models and searches in the config of a pipeline."""

from collections.abc import Iterable
from typing import Any

import keras

from keras_transformer.types import Config


def serialize_part(part: Any) -> Config | None:
    """The config of a part, without how it was compiled; `None` stays."""
    if part is None:
        return None
    config = keras.saving.serialize_keras_object(part)
    return {key: value for key, value in config.items() if key != "compile_config"}


def deserialize_parts(config: Config, names: Iterable[str]) -> Config:
    """`config` with the parts in `names` deserialized."""
    parts = {name: config[name] and keras.saving.deserialize_keras_object(config[name]) for name in names}
    return {**config, **parts}
