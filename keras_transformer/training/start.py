"""Encoders that a training starts from, out of saved pipelines."""

from typing import TYPE_CHECKING

from keras_transformer.types import DType, PathLike

if TYPE_CHECKING:
    import keras

    from keras_transformer.text import Tokenizer


def start_from_embedder(path: PathLike, dtype: DType) -> "tuple[keras.Model, Tokenizer, int]":
    """(encoder, tokenizer, largest number of tokens) of a saved embedder, its computations in `dtype`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, or quantized, or has no dtype of its own to change.
    """
    from keras_transformer.pipelines import TextEmbedder
    from keras_transformer.pipelines.loading import load_pipeline
    from keras_transformer.pipelines.model_paths import EMBEDDER

    embedder = load_pipeline(path, TextEmbedder, EMBEDDER)
    return in_policy(embedder.encoder, dtype, path), embedder.tokenizer, embedder.max_length


def in_policy(encoder: "keras.Model", dtype: DType, path: PathLike) -> "keras.Model":
    """The encoder of the pipeline at `path`, or a copy of it with its computations in `dtype`.

    Raises:
        ValueError: if it is quantized, or has no dtype of its own to change.
    """
    import keras

    from keras_transformer.models.composed_model import ComposedModel

    config = encoder.get_config()
    if "quantization" in config:
        raise ValueError(f"Expected an encoder that is not quantized to start from. Received: {path}")
    policy = keras.dtype_policies.get(dtype)
    if encoder.dtype_policy.name == policy.name:
        return encoder
    if not isinstance(encoder, ComposedModel):
        raise ValueError(
            f"Expected the dtype of the encoder in {path}, {encoder.dtype_policy.name}. Received: {policy.name}"
        )
    copy = type(encoder).from_config({**config, "dtype": policy})
    copy.set_weights(encoder.get_weights())
    return copy
