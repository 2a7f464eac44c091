"""Layers of `.keras` files of format 1 that have another name now: such a file is refused by their new names."""

import keras

from keras_transformer.layers.composite import check_file_format

RENAMED = {
    "Pack": "Unpad",
    "Unpack": "Repad",
    "Residual": "AddNorm",
    "TokenWeighting": "TokenWeights",
    "UnitLength": "UnitNormalization",
}


def _from_config(cls, config, custom_objects=None):
    check_file_format({**config, "format": 1})


for _old in RENAMED:
    _stub = type(_old, (keras.layers.Layer,), {"from_config": classmethod(_from_config)})
    keras.saving.register_keras_serializable(package="keras_transformer", name=_old)(_stub)
