"""Models split over eight virtual devices beside the same on one: a process of its own, since JAX counts devices once.

Prints what `test_distribution.py` checks, as one line of JSON.
"""

import json
import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import keras
import numpy as np

from keras_transformer.distribution import layout_map
from keras_transformer.models import DeepAveragingNetwork, SentenceEncoder, Transformer

IDS = np.asarray([[5, 7, 9, 3], [3, 8, 0, 0], [4, 0, 0, 0], [8, 2, 6, 3]], "int32")


def transformer():
    return Transformer(24, 1, 16, 32, 4, dropout=0.0), {"source_ids": IDS, "target_ids": IDS[:, :3]}, IDS[:, 1:]


def sentence_encoder():
    model = SentenceEncoder(23, 1, 16, 32, 4, output_dim=6, norm_first=True, token_weights=True, dropout=0.0)
    return model, IDS, np.eye(4, 6)


def averaging_network():
    return DeepAveragingNetwork(24, 13, 2, 8, output_dim=6, dropout=0.0, word_dropout=0.0), IDS, np.eye(4, 6)


def trained(model, inputs, wanted):
    """Predictions before a training step, and the weights after it."""
    loss = keras.losses.SparseCategoricalCrossentropy(True) if wanted.dtype == "int32" else "mse"
    model.compile(keras.optimizers.SGD(0.5, momentum=0.9), loss)
    before = np.asarray(model.predict(inputs, batch_size=4, verbose=0))
    model.fit(inputs, wanted, batch_size=4, epochs=1, verbose=0)
    return before, model.get_weights()


def farthest(ones, others):
    return max(float(np.abs(one - other).max()) for one, other in zip(ones, others, strict=True))


def compare(make, rank=None):
    model, inputs, wanted = make()
    weights = model.get_weights()
    mesh = keras.distribution.DeviceMesh((2, 4), ["data", "model"])
    distribution = keras.distribution.ModelParallel(layout_map=layout_map(model, mesh), batch_dim_name="data")
    with distribution.scope():
        split = type(model).from_config(model.get_config())
        split.set_weights(weights)
        if rank:
            split.enable_lora(rank)
    if rank:
        model.enable_lora(rank)
        model.set_weights(split.get_weights())
    untrained = model.get_weights()
    before, after = trained(model, inputs, wanted)
    with distribution.scope():
        split_before, split_after = trained(split, inputs, wanted)
    return {
        "forward": farthest([before], [split_before]),
        "step": farthest(after, split_after),
        "moved": farthest(after, untrained),
        "parts": {variable.path: parts(variable) for variable in split.variables},
        "trained": [parts(variable) for variable in split.trainable_variables],
        "momenta": [parts(variable) for variable in split.optimizer.variables if "momentum" in variable.path],
    }


def parts(variable):
    """Into how many each axis is split."""
    return [whole // part for whole, part in zip(variable.shape, variable.value.addressable_shards[0].data.shape)]


if __name__ == "__main__":
    cases = {
        "transformer": compare(transformer),
        "sentence_encoder_with_lora": compare(sentence_encoder, rank=4),
        "averaging_network": compare(averaging_network),
    }
    print(json.dumps(cases))
