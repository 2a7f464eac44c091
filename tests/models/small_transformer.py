"""A small transformer and a batch for it: of full length and padded, on both sides."""

import numpy as np

from keras_transformer.models import Transformer

V = 23
SIZES = {
    "num_layers": 1, "hidden_dim": 12, "intermediate_dim": 19, "num_heads": 3, "dropout": 0.1,
}  # fmt: skip
BATCH = {
    "source_ids": np.array([[4, 5, 6, 7, 3], [8, 9, 3, 0, 0]]),
    "target_ids": np.array([[2, 10, 11, 12], [2, 13, 0, 0]]),
}
LABELS = np.array([[10, 11, 12, 3], [13, 3, 0, 0]])


def build(**overrides):
    return Transformer(V, **{**SIZES, **overrides})
