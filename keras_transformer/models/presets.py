"""Sizes by name: base and big are the paper's (table 3); tiny and small are for small corpora."""

from keras_transformer.types import Config

PRESETS: dict[str, Config] = {
    "tiny": {
        "num_layers": 4,
        "hidden_dim": 128,
        "intermediate_dim": 256,
        "num_heads": 4,
        "dropout": 0.3,
    },
    "small": {
        "num_layers": 4,
        "hidden_dim": 256,
        "intermediate_dim": 1024,
        "num_heads": 4,
        "dropout": 0.1,
    },
    "base": {
        "num_layers": 6,
        "hidden_dim": 512,
        "intermediate_dim": 2048,
        "num_heads": 8,
        "dropout": 0.1,
    },
    "big": {
        "num_layers": 6,
        "hidden_dim": 1024,
        "intermediate_dim": 4096,
        "num_heads": 16,
        "dropout": 0.3,
    },
}


def preset(name: str) -> Config:
    """The constructor arguments that `name` stands for; `ValueError` for an unknown one."""
    if name not in PRESETS:
        raise ValueError(f"Expected one of the presets {list(PRESETS)}. Received: {name!r}")
    return dict(PRESETS[name])
